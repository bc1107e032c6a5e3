"""The cache of a check: empty, shared by its processes, and able to let two of them collide."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress
from functools import wraps
from unittest import mock

from asgiref.local import Local
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections

INTERRUPTION_TIMEOUT = 3  # seconds; only used up if the two processes wait for each other

# Runs after the next call of the cache, before the caller has the result.
_interruption = None


def _interruptible(method):
    """`method`, followed by the interruption from start to end, if there is one."""

    @wraps(method)
    def call(*args, **kwargs):
        global _interruption
        result = method(*args, **kwargs)
        interruption, _interruption = _interruption, None
        if interruption is not None:
            thread = threading.Thread(target=asyncio.run, args=(interruption(),), daemon=True)
            thread.start()
            thread.join(INTERRUPTION_TIMEOUT)
        return result

    return call


class InterruptibleCache(LocMemCache):
    """An in-memory cache. After its next call another process runs, if a check asks for that."""

    get = _interruptible(LocMemCache.get)
    add = _interruptible(LocMemCache.add)
    set = _interruptible(LocMemCache.set)
    touch = _interruptible(LocMemCache.touch)
    incr = _interruptible(LocMemCache.incr)
    has_key = _interruptible(LocMemCache.has_key)
    delete = _interruptible(LocMemCache.delete)


class FreshCache:
    """What a check can do with the cache. `make()` returns the application of another process."""

    def __init__(self, make):
        self._make = make

    def interrupt_with_client(self, scope):
        """Another process serves a client with this scope right after the next call of the cache.

        Returns a coroutine function that says whether that client was accepted. If the cache was
        not called at all, the client comes when the coroutine function is called.
        """
        global _interruption
        sent: list[dict] = []

        async def serve_client():
            # Its own thread for sync code: the usual one belongs to the interrupted process.
            async with ThreadSensitiveContext():
                with suppress(Exception):  # then the client was not accepted
                    await self._make()(scope, _receive_visit(), _send_to(sent))
                await sync_to_async(connections.close_all)()

        async def was_accepted() -> bool:
            global _interruption
            if _interruption is serve_client:
                _interruption = None
                await serve_client()
            types = [message["type"] for message in sent]
            return "websocket.accept" in types and "websocket.close" not in types

        _interruption = serve_client
        return was_accepted


def _receive_visit():
    """The `receive` of a client that connects and leaves."""
    events = iter(
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}],
    )

    async def receive():
        return next(events, None) or await asyncio.Future()

    return receive


def _send_to(sent: list[dict]):
    async def send(message):
        sent.append(message)

    return send


@asynccontextmanager
async def fresh_cache(make):
    """Within it, the default cache is empty, and only this check uses it."""
    global _interruption
    backend = f"{__name__}.{InterruptibleCache.__name__}"
    settings = {"BACKEND": backend, "LOCATION": "check", "KEY_FUNCTION": None}
    default = mock.patch.dict(caches.settings, {"default": settings})
    # Existing connections lead to the cache from before.
    no_connections = mock.patch.object(caches, "_connections", Local())
    with default, no_connections:
        caches["default"].clear()
        try:
            yield FreshCache(make)
        finally:
            _interruption = None
