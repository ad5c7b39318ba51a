"""Records a few messages and prints the number of each once it is acknowledged; its system calls are made to fail.

`python -m tests.record.appending HOME FIRST` says "ready" and waits for a line, so that a tracer can come.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from muniment.policy.errors import MunimentError
from muniment.record.home import Home
from muniment.record.opening import open_record
from tests.record.recording import SECRET, Clock, mail

BATCHES = 4
_PR_SET_PTRACER = 0x59616D61


def main() -> None:
    home, first = Home(Path(sys.argv[1])), int(sys.argv[2])
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1 & (1 << 64) - 1), 0, 0, 0)
    print("ready", flush=True)
    sys.stdin.readline()
    record = open_record(home, SECRET, clock=Clock())
    for number in range(first, first + 2 * BATCHES, 2):
        for _ in range(3):
            try:
                record.append([mail(number), mail(number + 1)])
            except MunimentError:
                continue
            print(f"{number}\n{number + 1}", flush=True)
            break
        try:
            record.tick()
        except MunimentError:
            continue
    record.close()


if __name__ == "__main__":
    main()
