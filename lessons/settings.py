"""The one Django project that every demo is mounted in.

As it stands it serves this machine only. The environment changes that: DJANGO_DEBUG=0,
DJANGO_SECRET_KEY, DJANGO_ALLOWED_HOSTS (names with commas between them), REDIS_URL.
"""

import os
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


class SettingsError(SystemExit, ImproperlyConfigured):
    """Ends any command with its one line, where Django alone would show a traceback of its own."""


BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / ".workshop"  # all that belongs to the student and not to the course
with suppress(OSError):  # SQLite makes files, but no folders; what cannot be written says so then
    STATE_DIR.mkdir(exist_ok=True)

# Who may reach it

# Browsers look for *.localhost nowhere but here; lesson 17's other site is next to the last one.
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "lessons.localhost"]
_named_hosts = [name.strip() for name in os.environ.get("DJANGO_ALLOWED_HOSTS", "").split(",")]
ALLOWED_HOSTS = [*LOOPBACK, *(name for name in _named_hosts if name and name not in LOOPBACK)]

DEBUG = os.environ.get("DJANGO_DEBUG", "1").strip().lower() not in {"0", "false", "no", "off"}

# Events are recorded and students' code is run for this machine's own user, and nobody else.
WORKSHOP = DEBUG and ALLOWED_HOSTS == LOOPBACK

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
if not SECRET_KEY and not WORKSHOP:
    raise SettingsError(
        "Set DJANGO_SECRET_KEY: with DJANGO_DEBUG=0 or with DJANGO_ALLOWED_HOSTS other people can "
        "reach this server, and whoever knows its key can sign in as anybody. Make one with: "
        'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
    )
SECRET_KEY = SECRET_KEY or "known to everybody, so good for this machine alone"

if not DEBUG:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 3600  # an hour: a mistake with HTTPS is soon forgiven
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# What it is made of

INSTALLED_APPS = [
    # In a project of your own "daphne" stands here, before staticfiles, whose runserver speaks no
    # WebSocket. The runserver of "lessons" is Daphne's; as no other command needs the app, they
    # need not wait for Twisted, which it brings.
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
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
            ],
        },
    },
]

STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"

# Where things are kept

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE_DIR / "db.sqlite3",
        "OPTIONS": {
            # A reader does not wait for the writer: consumers and views share this file.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            # A transaction that reads before it writes waits its turn, where it would else fail
            # at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
        },
        # In memory, each thread would see a database of its own, and handlers run in threads.
        "TEST": {"NAME": STATE_DIR / "test.sqlite3"},
    },
}

# How consumers reach each other

REDIS_URL = os.environ.get("REDIS_URL", "")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise SettingsError(
        "REDIS_URL is no address of Redis: they begin with redis://, rediss:// or unix://. Set it "
        "to one, such as redis://localhost:6379, or unset it: layers are in memory then."
    )
_IN_MEMORY = "channels.layers.InMemoryChannelLayer"


def _layer(backend="core.RedisChannelLayer", **config):
    """A layer on Redis; without REDIS_URL, one in memory, which no other process sees."""
    if not REDIS_URL:
        return {"BACKEND": _IN_MEMORY}
    # An idle consumer waits on Redis for 5 s at a time. redis-py's own limit is 5 s as well, and
    # where it strikes first, the consumer dies. So does the one that would open connection 101,
    # redis-py's other limit, when that many join or leave a group at once.
    host = {"address": REDIS_URL, "socket_timeout": None, "max_connections": 10_000}
    return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [host], **config}}


CHANNEL_LAYERS = {
    "default": _layer(),
    # Lesson 14 shows these two. On one Redis, each layer has a prefix of its own.
    "pubsub": _layer("pubsub.RedisPubSubChannelLayer", prefix="pubsub"),
    "encrypted": _layer(prefix="encrypted", symmetric_encryption_keys=[SECRET_KEY]),
    # What the recorder tells the pages. Never on Redis: that would disturb what it records, and
    # the pages are to show what happens when Redis is gone.
    "wire": {"BACKEND": _IN_MEMORY, "CONFIG": {"capacity": 10_000}},
}

# What one process remembers for all, such as which tickets are unused; and as with the layers,
# without Redis each process has only its own.
_CACHE = "django.core.cache.backends"
CACHES = {
    "default": {"BACKEND": f"{_CACHE}.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": f"{_CACHE}.locmem.LocMemCache"},
}

# The web servers of `manage.py cluster`, which tells each of them where all of them are.
CLUSTER_PORTS = [int(port) for port in os.environ.get("CLUSTER_PORTS", "").split(",") if port]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        # Daphne's own start-up notes speak of endpoints and HTTP/2; the command names the page.
        "daphne.server": {"level": "WARNING"},
        # What a worked consumer logs is part of what it shows.
        "sync_demo": {"level": "INFO", "handlers": ["console"]},
    },
}
