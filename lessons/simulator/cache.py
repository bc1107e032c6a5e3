"""A cache for a check: empty, one for all the check's processes, and they can meet in it."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from unittest import mock

from asgiref.local import Local
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections

PATIENCE = 3  # seconds, only ever spent where the one in between waits for the one it interrupts

_meanwhile = None


class InterruptibleCache(LocMemCache):
    """As in memory; after the first thing that is asked of it, someone else's turn comes."""

    def get(self, *args, **kwargs):
        return _then(super().get(*args, **kwargs))

    def add(self, *args, **kwargs):
        return _then(super().add(*args, **kwargs))

    def set(self, *args, **kwargs):
        return _then(super().set(*args, **kwargs))

    def touch(self, *args, **kwargs):
        return _then(super().touch(*args, **kwargs))

    def incr(self, *args, **kwargs):
        return _then(super().incr(*args, **kwargs))

    def has_key(self, *args, **kwargs):
        return _then(super().has_key(*args, **kwargs))

    def delete(self, *args, **kwargs):
        return _then(super().delete(*args, **kwargs))


def _then(answer):
    """Let the one that waits for it have its turn, from start to end, before the answer is used."""
    global _meanwhile
    turn, _meanwhile = _meanwhile, None
    if turn is not None:
        thread = threading.Thread(target=asyncio.run, args=(turn(),), daemon=True)
        thread.start()
        thread.join(PATIENCE)
    return answer


class FreshCache:
    """What a check may do with the cache; `make()` is what another process serves."""

    def __init__(self, make):
        self._make = make

    def interrupt_with_client(self, scope):
        """Another process serves this scope as soon as the cache has been asked one thing.

        Returns a coroutine function that tells whether the client of that process got in; where
        the cache was asked nothing, it comes only then.
        """
        global _meanwhile
        sent: list[dict] = []

        async def turn():
            # A thread of its own for sync code: the usual one is held up by whom it interrupts.
            async with ThreadSensitiveContext():
                with suppress(Exception):  # it did not get in
                    await self._make()(scope, _visit(), _into(sent))
                await sync_to_async(connections.close_all)()

        async def was_accepted() -> bool:
            global _meanwhile
            if _meanwhile is turn:
                _meanwhile = None
                await turn()
            types = [message["type"] for message in sent]
            return "websocket.accept" in types and "websocket.close" not in types

        _meanwhile = turn
        return was_accepted


def _visit():
    """The `receive` of a client that comes and goes."""
    events = iter(
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}],
    )

    async def receive():
        return next(events, None) or await asyncio.Future()

    return receive


def _into(sent: list[dict]):
    async def send(message):
        sent.append(message)

    return send


@asynccontextmanager
async def fresh_cache(make):
    """Within it, the default cache is empty and nobody else's."""
    global _meanwhile
    backend = f"{__name__}.{InterruptibleCache.__name__}"
    settings = {"BACKEND": backend, "LOCATION": "check", "KEY_FUNCTION": None}
    renamed = mock.patch.dict(caches.settings, {"default": settings})
    # The connections that there are already are to the cache from before.
    anew = mock.patch.object(caches, "_connections", Local())
    with renamed, anew:
        caches["default"].clear()
        try:
            yield FreshCache(make)
        finally:
            _meanwhile = None
