"""The cache of a check: it is empty at first, and all server processes of the check share it."""

from contextlib import contextmanager

from asgiref.local import Local
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache

from ..scheduling.blocking_calls import note_if_on_loop
from .interleaving import with_switch_points


class SharedCache(LocMemCache):
    """It is in memory, but stands for a cache on another machine.

    So each call blocks, and between two calls another process may act.
    """


def _call_of(name: str):
    usual = with_switch_points(getattr(LocMemCache, name))

    def call(self, *args, **kwargs):
        note_if_on_loop(f"cache.{name}")
        return usual(self, *args, **kwargs)

    return call


for _name in ("get", "add", "set", "touch", "incr", "has_key", "delete"):
    setattr(SharedCache, _name, _call_of(_name))


_SETTINGS = {
    "BACKEND": f"{__name__}.{SharedCache.__name__}",
    "LOCATION": "check",
    "KEY_FUNCTION": None,
}
_connections = Local()


@contextmanager
def fresh_cache():
    """Within it, the default cache is in memory and empty, and only this check uses it."""
    before = caches.settings["default"], caches._connections
    # Existing connections lead to the cache from before.
    caches.settings["default"], caches._connections = _SETTINGS, _connections
    caches["default"].clear()
    try:
        yield
    finally:
        caches.settings["default"], caches._connections = before
