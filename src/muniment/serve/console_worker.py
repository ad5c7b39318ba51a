"""What the console's server loads in its worker process: the pages, and an end to the worker when the server is gone.

A worker that outlived its server would keep the port, and go on answering with a policy nobody serves any more.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from threading import Thread

from muniment.site.wsgi import application

__all__ = ["application"]


def _end_with_the_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os.kill(os.getpid(), signal.SIGKILL)


Thread(target=_end_with_the_server, daemon=True).start()
