"""Django's settings, made from HOME/muniment.toml; $MUNIMENT_HOME says where that is.

Without $MUNIMENT_HOME the module still imports, with a database in memory and a key that lives as long as the
process: the type checker and the tests use it so. No page shows anything of a home then.

There is no sign-in yet. That is why the policy file takes a loopback address for the console only, and why the
console refuses here, too, to be asked by another name: whoever is at this machine may see what its pages show.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Any

from muniment.policy.errors import Refused
from muniment.policy.gateway import split_address
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.home import Home
from muniment.site import key
from muniment.site.database import database_of, in_memory


def require_loopback(listen: str) -> None:
    """Raise Refused unless the console listens on this machine only."""
    host, _ = split_address(listen) or ("", 0)
    if host == "localhost":
        return
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        message = (
            f"console.listen is {listen}, expected a loopback address such as 127.0.0.1:8025: "
            "the console has no sign-in yet, so only this machine may reach it"
        )
        raise Refused(message, clause="R-5.2-f")


MUNIMENT_HOME: Home | None = None
MUNIMENT_POLICY: PolicyFile | None = None
DATABASES: dict[str, dict[str, Any]] = {"default": in_memory()}
if os.environ.get("MUNIMENT_HOME"):
    MUNIMENT_HOME = Home(Path(os.environ["MUNIMENT_HOME"]).absolute())
    MUNIMENT_POLICY = load(MUNIMENT_HOME.policy_file)
    require_loopback(MUNIMENT_POLICY.console.listen)
    SECRET_KEY = key.read(MUNIMENT_HOME.path / "console.key")
    DATABASES["default"] = database_of(MUNIMENT_POLICY.console.database, MUNIMENT_HOME.console_db)
else:
    SECRET_KEY = secrets.token_urlsafe(48)

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
if MUNIMENT_POLICY is not None:
    ALLOWED_HOSTS.append(MUNIMENT_POLICY.console.listen.rpartition(":")[0])
ROOT_URLCONF = "muniment.site.urls"
WSGI_APPLICATION = "muniment.site.wsgi.application"
INSTALLED_APPS = ["muniment.people", "muniment.account", "muniment.site"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "muniment.site.headers.HeadersMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "muniment.site.failure.FailureMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["muniment.site.shell.shell"], "string_if_invalid": ""},
    }
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = False
USE_THOUSAND_SEPARATOR = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "muniment.site.failure.forgery"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
# The console speaks plain HTTP on loopback only (`require_loopback`), where these would lock everybody out:
# HSTS (W004), redirect to TLS (W008), cookies over TLS only (W016).
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W016"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "muniment console: {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "WARNING", "propagate": True}},
}
