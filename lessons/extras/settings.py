"""Settings of a public server: the hardened chat, its login and the admin, behind a proxy with TLS.

lessons/guides/serving.md has the commands. These environment variables must be set:
DJANGO_SECRET_KEY, DJANGO_ALLOWED_HOSTS (names with commas between them) and REDIS_URL. PGDATABASE
names a PostgreSQL database; PGHOST, PGUSER and PGPASSWORD say how to reach it. Without PGDATABASE,
the database is an SQLite file.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[2]
DEBUG = False
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = os.environ["DJANGO_ALLOWED_HOSTS"].split(",")
REDIS_URL = os.environ["REDIS_URL"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "auth_demo",
    "db_demo",
    "lessons.extras",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "lessons.extras.login_throttle.LoginRefusedMiddleware",
]
ROOT_URLCONF = "lessons.extras.public_urls"
AUTHENTICATION_BACKENDS = ["lessons.extras.login_throttle.ThrottledBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
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
STATIC_URL, STATIC_ROOT = "static/", BASE_DIR / "public_static"  # nginx serves this folder
USE_TZ = True

# The proxy ends TLS and sets X-Forwarded-Proto. It must not forward one that a client has sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_HSTS_SECONDS = 3600  # an hour, so that a mistake with HTTPS has a short effect
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if "PGDATABASE" in os.environ:
    _DATABASE = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "OPTIONS": {"pool": True},
    }
else:
    _DATABASE = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "public.sqlite3",
        # A transaction that reads before it writes waits for others, and does not fail at once.
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
    }
DATABASES = {"default": _DATABASE}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
# An idle consumer waits on Redis for 5 s at a time. The default timeout of redis-py is 5 s too; if
# it expires first, the consumer ends with an exception. The default limit of 100 connections has
# the same effect when more consumers join or leave a group at the same time.
_REDIS = {"address": REDIS_URL, "socket_timeout": None, "max_connections": 10_000}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [_REDIS]},
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"level": "INFO", "handlers": ["console"]},
}
