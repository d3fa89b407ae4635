"""Django's settings: one file; the environment is read through jitapp.env only."""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any

import dj_database_url

from jitapp.env import (
    Nonsense,
    env_address,
    env_bool,
    env_choice,
    env_digits,
    env_int,
    env_list,
    env_readers,
    env_recipients,
    env_secret,
    env_signing_keys,
    env_signing_secret,
    env_str,
    env_url,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env_str("JITAPP_DATA") or BASE_DIR / ".data")

DEBUG = env_bool("JITAPP_DEBUG", False)
# Commands (up, check, makemigrations), tests and type checks run before a key exists: each gets one of its own, which
# nobody knows and which ends with it.
SECRET_KEY = env_signing_secret("SECRET_KEY")
if not SECRET_KEY and "manage.py" not in sys.argv[0] and not {"pytest", "mypy"} & sys.modules.keys():
    raise Nonsense(
        "SECRET_KEY is not set. `make run` makes one; elsewhere set SECRET_KEY or SECRET_KEY_FILE."
    )
SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(48)

ALLOWED_HOSTS = env_list("JITAPP_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env_list("JITAPP_TRUSTED_ORIGINS", [])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "jitapp.accounts",
    "jitapp.outbox",
    "jitapp.plant",
    "jitapp.pull",
    "jitapp.erp",
    "jitapp.printing",
    "jitapp.tags",
    "jitapp.rounds",
    "jitapp.api",
    "jitapp.web",
    "jitapp.workshop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "jitapp.web.headers.ContentSecurityPolicy",
    "jitapp.doors.EndOfOutages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "jitapp.web.wording.Worded",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "jitapp.urls"
WSGI_APPLICATION = "jitapp.wsgi.application"
AUTH_USER_MODEL = "accounts.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jitapp.web.context.page",
            ]
        },
    }
]

# -- the store: PostgreSQL only ----------------------------------------------------------------
DATABASE_URL = env_url("DATABASE_URL", ("postgres", "postgresql"))
DATABASES: dict[str, Any] = {
    "default": {
        **dj_database_url.parse(DATABASE_URL or "postgres://kan@127.0.0.1:5432/kan"),
        "CONN_MAX_AGE": env_int("JITAPP_CONN_MAX_AGE", 60, least=0, most=86_400),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
STATEMENT_TIMEOUT_MS = env_int("JITAPP_STATEMENT_TIMEOUT_MS", 10_000, least=100, most=600_000)
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    "connect_timeout": 3,
    "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=3000 -c jit=off"
    " -c idle_in_transaction_session_timeout=30000",
}

# -- Redis and Celery: only hints; the row is the job -------------------------------------------
REDIS_URL = env_url("REDIS_URL", ("redis", "rediss", "unix")) or "redis://127.0.0.1:6379/0"

# -- the ERP that is asked for documents (jitapp/erp) ----------------------------------------------
ERP_URL = env_address("JITAPP_ERP_URL")
ERP_SECRETS = env_signing_keys("JITAPP_ERP_SECRET")
ERP_HOSTS = env_list("JITAPP_ERP_HOSTS", [])
if ERP_URL and not ERP_SECRETS:
    raise Nonsense("JITAPP_ERP_URL is set, but JITAPP_ERP_SECRET is not. Calls to an ERP are always signed.")

# -- what scanners of this installation may send besides (jitapp/symbology) -------------------------
DATA_IDENTIFIERS = frozenset(env_list("JITAPP_DATA_IDENTIFIERS", []))
for _identifier in DATA_IDENTIFIERS:
    if not re.fullmatch("[0-9]{0,3}[A-Z]", _identifier):
        raise Nonsense(
            f"JITAPP_DATA_IDENTIFIERS: {_identifier!r} is no data identifier. Write them as P,Q,15K."
        )
# -- readers of tags (manage.py mqtt, manage.py llrp) -----------------------------------------------
MQTT_URL = env_url("JITAPP_MQTT_URL", ("mqtt", "mqtts"))
MQTT_CLIENT = env_str("JITAPP_MQTT_CLIENT") or "jitapp-tags"
MQTT_CA = env_str("JITAPP_MQTT_CA")
LLRP_READERS = env_readers("JITAPP_LLRP")

# -- pages -------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env_str("JITAPP_STATIC_ROOT") or DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
MANIFEST = STATIC_ROOT / "staticfiles.json"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "jitapp.web.static.ModulesByFingerprint"
        if MANIFEST.exists() or "collectstatic" in sys.argv
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not MANIFEST.exists()
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"), ("pl", "Polski")]
LOCALE_PATHS = [BASE_DIR / "jitapp" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Where browsers reach the event streams: a path behind a proxy, or the live server's own port.
LIVE_URL = env_str("JITAPP_LIVE_URL")
LIVE_PORT = env_int("JITAPP_LIVE_PORT", env_int("PORT", 8000, least=1, most=65_534) + 1, least=1, most=65_535)
# What the QR codes of printed cards begin with; empty: the address by which whoever prints came.
SITE_URL = env_address("JITAPP_SITE_URL")
GS1_PREFIX = env_digits("JITAPP_GS1_PREFIX", least=4, most=12)
# State sheets, for when nothing can be scanned (jitapp/printing/state_sheets.py).
PAPER_HOURLY = env_bool("JITAPP_PAPER_HOURLY", True)
PAPER_SIZE = env_choice("JITAPP_PAPER_SIZE", "auto", ("auto", "a4", "letter"))
PAPER_FOLDER = env_str("JITAPP_PAPER_FOLDER")
PAPER_MAIL = env_recipients("JITAPP_PAPER_MAIL")
MAIL_HOST = env_str("JITAPP_MAIL_HOST")
MAIL_TLS = env_choice("JITAPP_MAIL_TLS", "starttls", ("starttls", "tls", "none"))
MAIL_PORT = env_int(
    "JITAPP_MAIL_PORT", {"starttls": 587, "tls": 465, "none": 25}[MAIL_TLS], least=1, most=65_535
)
MAIL_USER = env_str("JITAPP_MAIL_USER")
MAIL_PASSWORD = env_secret("JITAPP_MAIL_PASSWORD")
MAIL_FROM = env_str("JITAPP_MAIL_FROM")
if PAPER_MAIL and not (MAIL_HOST and MAIL_FROM):
    raise Nonsense("JITAPP_PAPER_MAIL is set, but JITAPP_MAIL_HOST or JITAPP_MAIL_FROM is not. Set both.")
DEMO = env_str("JITAPP_DEMO") or "live"
DEMO_PLANT = (
    "BOARDWORKS"  # the only plant that a demonstration shows to strangers (jitapp/workshop/demo/shop.yaml)
)

# -- security ----------------------------------------------------------------------------------
HTTPS = env_bool("JITAPP_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env_bool("JITAPP_BEHIND_PROXY", False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = 12 * 3600
PASSWORD_HASHERS = [
    "jitapp.accounts.hashing.OneThreadArgon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["jitapp.accounts.backend.GuardedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
# Requests at the scan doors per token and web process; five seconds of it fit at once. 0: no bound.
SCANS_A_SECOND = env_int("JITAPP_SCANS_A_SECOND", 200, least=0, most=100_000)

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["jitapp.api.auth.DeviceToken"],
    "DEFAULT_PERMISSION_CLASSES": ["jitapp.api.auth.HasDevice"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "jitapp.api.errors.problem_handler",
    "UNAUTHENTICATED_USER": None,
}

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_secrets"]}
    },
    "filters": {
        "no_503": {"()": "jitapp.outages.store.NotOfTheStore"},
        "without_secrets": {"()": "jitapp.web.hiding.WithoutSecrets"},
    },
    "loggers": {
        "httpx": {"level": "WARNING"},  # a line for every call to an ERP tells nobody anything
        "django.request": {"filters": ["no_503"]},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("JITAPP_LOG_LEVEL", "INFO")},
}
