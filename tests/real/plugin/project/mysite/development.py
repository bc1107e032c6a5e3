"""For `runserver`, without Redis. The variable DATABASE names the file of the database."""

import os

from .settings import *  # noqa: F403
from .settings import CHANNEL_LAYERS, INSTALLED_APPS

DEBUG = True
ALLOWED_HOSTS = []
INSTALLED_APPS = ["daphne", *INSTALLED_APPS]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}}
MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
CHANNEL_LAYERS = dict.fromkeys(CHANNEL_LAYERS, MEMORY)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
