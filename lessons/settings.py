"""The Django project in which every demo is mounted.

By default it serves this machine only. These environment variables change that: DJANGO_DEBUG=0,
DJANGO_SECRET_KEY, DJANGO_ALLOWED_HOSTS (names with commas between them), REDIS_URL.
"""

import os
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


class SettingsError(SystemExit, ImproperlyConfigured):
    """Ends every command with one line; Django's own exception alone would show a traceback."""


BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / ".workshop"  # everything that belongs to the student
with suppress(OSError):  # SQLite creates files, but no folders. A later write reports the error
    STATE_DIR.mkdir(exist_ok=True)

# Who can connect

# Browsers resolve *.localhost to this machine. Lesson 17 uses lessons.localhost as another site.
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "lessons.localhost"]
_named_hosts = [name.strip() for name in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",")]
ALLOWED_HOSTS = [*LOOPBACK, *(name for name in _named_hosts if name and name not in LOOPBACK)]

DEBUG = os.environ.get("DJANGO_DEBUG", "1").strip().lower() not in {"0", "false", "no", "off"}

# Events are recorded, and students' code runs, only for the user of this machine.
WORKSHOP = DEBUG and ALLOWED_HOSTS == LOOPBACK

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
if not SECRET_KEY and not WORKSHOP:
    raise SettingsError(
        "Set DJANGO_SECRET_KEY: with DJANGO_DEBUG=0 or DJANGO_ALLOWED_HOSTS other people can reach "
        "this server, and a person who knows its key can sign in as any user. Create one with: "
        'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
# Keep this text: with another key all logins end, and the transcripts of lesson 19 change.
SECRET_KEY = SECRET_KEY or "known to everybody, so good for this machine alone"

if not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 3600  # an hour, so that a mistake with HTTPS has a short effect
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Apps

INSTALLED_APPS = [
    # In your own project, "daphne" is here, before staticfiles, whose runserver has no WebSocket.
    # The runserver of "lessons" is Daphne's. Without the app, the other commands start faster,
    # because they do not import Twisted.
    "lessons",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "lessons.web",
    "sync_demo",
    "async_demo",
    "layers_demo",
    "auth_demo",
    "db_demo",
]

MIDDLEWARE = [
    # Compression can reveal a secret that a page repeats beside text of an attacker (BREACH). The
    # pages repeat only the CSRF token, which Django masks for each page, and Django's gzip adds a
    # random number of bytes.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lessons.web.views.not_found.NotFoundMiddleware",
]

ASGI_APPLICATION = "lessons.asgi.application"
ROOT_URLCONF = "lessons.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lessons.web.context.workshop",
            ],
        },
    },
]

STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "db.sqlite3",
        "OPTIONS": {
            # Readers do not wait for a writer: consumers and views share this file.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            # A transaction that reads before it writes waits for others. Without this, it fails
            # at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
        },
        # In memory, each thread would see another database, and handlers run in threads.
        "TEST": {"NAME": STATE_DIR / "test.sqlite3"},
    },
}

# Channel layers

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise SettingsError(
        "REDIS_URL is not a Redis URL: it must begin with redis://, rediss:// or unix://. Set it "
        "to one, such as redis://localhost:6379, or unset it: then layers are in memory."
    )
_IN_MEMORY = "channels.layers.InMemoryChannelLayer"


def _layer(backend="core.RedisChannelLayer", **config):
    """A layer on Redis; without REDIS_URL in memory, separate in each process."""
    if not REDIS_URL:
        return {"BACKEND": _IN_MEMORY}
    # An idle consumer waits on Redis for 5 s at a time. The default timeout of redis-py is 5 s too;
    # if it expires first, the consumer ends with an exception. The default limit of 100 connections
    # has the same effect when more consumers join or leave a group at the same time.
    host = {"address": REDIS_URL, "socket_timeout": None, "max_connections": 10_000}
    return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [host], **config}}


CHANNEL_LAYERS = {
    "default": _layer(),
    # Lesson 14 shows these two. Layers that share a Redis server need different prefixes.
    "pubsub": _layer("pubsub.RedisPubSubChannelLayer", prefix="pubsub"),
    "encrypted": _layer(prefix="encrypted", symmetric_encryption_keys=[SECRET_KEY]),
    # The recorder sends events to the pages. Never on Redis: that would disturb what it records,
    # and the pages must also show what happens without Redis.
    "wire": {"BACKEND": _IN_MEMORY, "CONFIG": {"capacity": 10_000}},
}

# What the processes share, such as the tickets that are unused. Without Redis, each process has
# a separate cache, as it has separate layers.
_CACHE = "django.core.cache.backends"
CACHES = {
    "default": {"BACKEND": f"{_CACHE}.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": f"{_CACHE}.locmem.LocMemCache"},
}

# The ports of all web servers of `manage.py cluster`, which sets this variable.
CLUSTER_PORTS = [int(port) for port in os.environ.get("CLUSTER_PORTS", "").split(",") if port]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        # Daphne logs endpoints and HTTP/2 support at its start; the command prints the page's URL.
        "daphne.server": {"level": "WARNING"},
        # The log lines of a worked example are part of what it shows.
        "sync_demo": {"level": "INFO", "handlers": ["console"]},
    },
}
