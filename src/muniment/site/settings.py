"""Django's settings, made from HOME/muniment.toml; $MUNIMENT_HOME says where that is.

Without $MUNIMENT_HOME the module still imports, with a database in memory and a key that lives as long as the
process: the type checker and the tests use it so. No page shows anything of a home then.

Every page asks who wants it (`site.gate`). Beyond this machine the console answers with a certificate only.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from muniment.people.limits import LONGEST_SESSION, MOST_BYTES
from muniment.policy.console import is_this_machine
from muniment.policy.gateway import split_address
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.home import Home
from muniment.site import key
from muniment.site.database import database_of, in_memory
from muniment.site.openid import openid_providers

MUNIMENT_HOME: Home | None = None
MUNIMENT_POLICY: PolicyFile | None = None
DATABASES: dict[str, dict[str, Any]] = {"default": in_memory()}
if os.environ.get("MUNIMENT_HOME"):
    MUNIMENT_HOME = Home(Path(os.environ["MUNIMENT_HOME"]).absolute())
    MUNIMENT_POLICY = load(MUNIMENT_HOME.policy_file)
    SECRET_KEY = key.read(MUNIMENT_HOME.path / "console.key")
    DATABASES["default"] = database_of(MUNIMENT_POLICY.console.database, MUNIMENT_HOME.console_db)
else:
    SECRET_KEY = secrets.token_urlsafe(48)

DEBUG = False
HAS_CERTIFICATE = bool(MUNIMENT_POLICY and MUNIMENT_POLICY.console.certificate)
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
if MUNIMENT_POLICY is not None:
    ALLOWED_HOSTS += MUNIMENT_POLICY.console.names
    if (split := split_address(MUNIMENT_POLICY.console.listen)) and is_this_machine(split[0]):
        ALLOWED_HOSTS.append(MUNIMENT_POLICY.console.listen.rpartition(":")[0])
ROOT_URLCONF = "muniment.site.urls"
WSGI_APPLICATION = "muniment.site.wsgi.application"
INSTALLED_APPS = [
    "muniment.people",
    "muniment.permit",
    "muniment.account",
    "muniment.answer",
    "muniment.site",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "muniment.site.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "muniment.site.person.PersonMiddleware",
    "muniment.site.gate.GateMiddleware",
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
DATA_UPLOAD_MAX_MEMORY_SIZE = MOST_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HAS_CERTIFICATE else 0
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "muniment.site.failure.forgery"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
# Lax and not strict: a link in a mail of ours must find its reader signed in. Whatever writes is sent by POST.
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(LONGEST_SESSION.total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HAS_CERTIFICATE
if HAS_CERTIFICATE:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
# Without a certificate the console speaks plain HTTP on loopback only (`policy.console`), where these would lock
# everybody out: HSTS (W004), redirect to TLS (W008), cookies over TLS only (W012, W016).
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]

AUTH_USER_MODEL = "people.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# Scrypt is made to cost a guesser memory as well as time.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "account_login", "/", "account_login"
# One worker process serves the console (`serve.console`), so that its memory is where tries are counted.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

ACCOUNT_ADAPTER = "muniment.site.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/5m/ip,5/5m/key"}
ACCOUNT_FORMS = {
    "login": "muniment.site.sign_in_forms.SignInForm",
    "reauthenticate": "muniment.site.sign_in_forms.AgainForm",
    "change_password": "muniment.site.sign_in_forms.NewPasswordForm",
}
MFA_ADAPTER = "muniment.site.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = MUNIMENT_POLICY.organisation.short_name if MUNIMENT_POLICY else "Muniment"
MFA_FORMS = {
    "authenticate": "muniment.site.sign_in_forms.CodeForm",
    "reauthenticate": "muniment.site.sign_in_forms.CodeAgainForm",
    "activate_totp": "muniment.site.sign_in_forms.OneTimeCodeForm",
}
SOCIALACCOUNT_ADAPTER = "muniment.site.adapter.SocialAccountAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = openid_providers(MUNIMENT_POLICY)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "muniment console: {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "WARNING", "propagate": True}},
}
