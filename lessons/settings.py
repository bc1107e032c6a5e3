"""The Django project in which every demo is mounted.

Environment variables change these settings: REDIS_URL, DATABASE_URL, and those that
lessons/workshop/setup/network_access.py reads.
"""

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lessons.workshop.setup import network_access
from lessons.workshop.setup.network_access import LOOPBACK, Mode, SettingsError  # noqa: F401 - other modules use LOOPBACK

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = BASE_DIR / ".workshop"  # everything that belongs to the student
with suppress(OSError):  # SQLite creates files, but no folders. A later write reports the error
    STATE_DIR.mkdir(exist_ok=True)

# Who can connect, and what the server offers: see network_access.py

_access = network_access.Access.read(os.environ, STATE_DIR)
MODE = _access.mode
DEBUG = MODE is Mode.LOCAL
ALLOWED_HOSTS = _access.allowed_hosts
SECRET_KEY = _access.secret_key
HTTPS = _access.is_behind_proxy

# With DEBUG, the page of an error shows the settings. A projector may show that page to a class.
DEFAULT_EXCEPTION_REPORTER_FILTER = "lessons.workshop.setup.hidden_settings.HiddenUrls"

if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
else:
    SECURE_CROSS_ORIGIN_OPENER_POLICY = None  # without HTTPS, browsers only warn of this header
if MODE is Mode.SHARED and "CODESPACE_NAME" in os.environ:
    # GitHub's proxy sends this as the Origin of its pages, with one scheme or the other.
    CSRF_TRUSTED_ORIGINS = ["http://localhost:8000", "https://localhost:8000"]

# Limits wrong passwords, on every way to log in.
AUTHENTICATION_BACKENDS = ["lessons.extras.login_throttle.ThrottledBackend"]

# Apps

INSTALLED_APPS = [
    # In your own project, "daphne" is here, before staticfiles, whose runserver has no WebSocket.
    # The runserver of "lessons.workshop" is Daphne's. Without the app "daphne", the other commands
    # start faster, because they do not import Twisted.
    "lessons.workshop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "lessons.workshop.page",
    # A room serves none of these: it plays their conversations for the instructor.
    "sync_demo",
    "async_demo",
    "layers_demo",
    "auth_demo",
    "db_demo",
    "lessons.extras",
]
if MODE is Mode.ROOM:
    INSTALLED_APPS += ["lessons.workshop.room"]

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
]
if MODE is Mode.ROOM:
    ASGI_APPLICATION = "lessons.workshop.room.asgi.application"
    ROOT_URLCONF = "lessons.workshop.room.urls"
    # Cookies ignore the port: with the usual names, a workshop on the instructor's machine and
    # the room would end each other's logins.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "room_sessionid", "room_csrftoken"
else:
    MIDDLEWARE += ["lessons.workshop.page.views.not_found.NotFoundMiddleware"]
    MIDDLEWARE += ["lessons.extras.login_throttle.LoginRefusedMiddleware"]
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
                "lessons.workshop.page.context.workshop",
            ],
        },
    },
]

STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"

# Database

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# The default, and the database of every process that plays an exercise.
SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    # Each mode has its own file: the accounts of a local workshop have known passwords.
    "NAME": STATE_DIR / ("db.sqlite3" if MODE is Mode.LOCAL else f"{MODE}.sqlite3"),
    "OPTIONS": {
        # Readers do not wait for a writer: consumers and views share this file.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        # A transaction that reads before it writes waits for others. Without this, it fails
        # at once with "database is locked".
        "transaction_mode": "IMMEDIATE",
    },
    # In the room, consumers query in one thread. With 0, each trip to it opens and closes the file.
    "CONN_MAX_AGE": 60 if MODE is Mode.ROOM else 0,
    # In memory, each thread would see another database, and handlers run in threads.
    "TEST": {"NAME": STATE_DIR / "test.sqlite3"},
}


def _postgresql(url):
    """The database of DATABASE_URL. The items of its query become options of the connection."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or ""
    except ValueError:  # such as a port that is not a number
        parts = urlsplit("")
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise SettingsError(
            "DATABASE_URL is not a PostgreSQL URL: it must look like "
            "postgres://USER:PASSWORD@HOST:5432/NAME, with %40 for @, %2F for / and %23 for # in "
            "the password. Set it to one, or unset it: then the database is an SQLite file."
        )
    if find_spec("psycopg") is None:
        raise SettingsError(
            "DATABASE_URL needs psycopg, which is not installed. Install it, then start again: "
            ".venv/bin/python -m pip install --require-hashes -r .ci/postgres.txt"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES = {"default": _postgresql(DATABASE_URL) if DATABASE_URL else SQLITE}

# The processes that play exercises are copies of one that has imported these modules.
ENGINE_PRELOAD = ["lessons.workshop.judge.preload"]
# What a step may do besides the engine's own actions.
ENGINE_ACTIONS = ["lessons.workshop.judge.student_test"]

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
}

if MODE is Mode.ROOM:  # one process, and a message to a busy board must not be lost
    CHANNEL_LAYERS["default"] = {"BACKEND": _IN_MEMORY, "CONFIG": {"capacity": 10_000}}

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
