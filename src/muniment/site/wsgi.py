"""The WSGI entry: `muniment.site.wsgi:application`, which `serve.console_worker` hands to the server."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muniment.site.settings")
application = get_wsgi_application()
