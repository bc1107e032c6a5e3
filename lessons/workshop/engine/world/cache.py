"""The cache of a check: it is empty at first, and all server processes of the check share it."""

from contextlib import contextmanager
from unittest import mock

from asgiref.local import Local
from django.core.cache import caches

# What a cache can be asked. Between two of these calls another process may act.
CALLS = ("get", "add", "set", "touch", "incr", "has_key", "delete")


@contextmanager
def fresh_cache():
    """Within it, the default cache is in memory and empty, and only this check uses it."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings = {"BACKEND": backend, "LOCATION": "check", "KEY_FUNCTION": None}
    default = mock.patch.dict(caches.settings, {"default": settings})
    # Existing connections lead to the cache from before.
    no_connections = mock.patch.object(caches, "_connections", Local())
    with default, no_connections:
        caches["default"].clear()
        yield
