"""What surrounds the project's application in a test: layers, cache, database, and what is refused.

The channel layers are the simulated ones, under the project's aliases. A cache on another machine
is replaced by one in memory. The database is that of the test: in a transaction that is rolled
back, or in memory, all threads share the test's connection; otherwise each has its own.
"""

import _thread
import asyncio
import multiprocessing.process
import socket
import sys
import threading
import traceback
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from unittest import mock

import asgiref.sync
from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from ..recording.queries import record_queries
from ..scheduling import clock, threads
from ..scheduling.loop import SimulatedLoop
from ..scheduling.patches import installed
from ..scheduling.threads import this_thread
from ..world.cache import fresh_cache
from ..world.channel_layer import FakeRedis, SimulatedLayer, served_layers
from .made_layers import made_layers

_LAYER_CALLS = ("send", "receive", "new_channel", "group_add", "group_discard", "group_send")
_LAYER_OPTIONS = {"expiry", "group_expiry", "capacity", "channel_capacity"}
_LOCAL_CACHES = ("locmem", "dummy", "db", "filebased")


@contextmanager
def project_surroundings(loop: SimulatedLoop, uses_database: bool):
    """Within it, the project sees the loop's clock and what this module's docstring lists."""
    with ExitStack() as stack:
        enter = stack.enter_context
        enter(_layers())
        if settings.CACHES["default"]["BACKEND"].split(".")[-2] not in _LOCAL_CACHES:
            enter(fresh_cache())
        if uses_database:
            enter(_database())
        enter(mock.patch.object(threads, "has_connections", return_value=uses_database))
        # Other fixtures may have saved rows and sessions with the real time.
        enter(mock.patch.object(clock, "BEGINNING", datetime.now(UTC)))
        enter(clock.simulated_clock(loop))
        enter(installed(_refused()))
        yield


@contextmanager
def _layers():
    """Within it, each alias of the project has a simulated layer.

    A module may have kept a layer when it was imported: that object passes its calls on.
    """
    redis = FakeRedis()
    for alias, layer in getattr(settings, "CHANNEL_LAYERS", {}).items():
        options = layer.get("CONFIG", {}).items()
        kept = {name: value for name, value in options if name in _LAYER_OPTIONS}
        redis.layers[alias] = SimulatedLayer(redis, **kept)
    with served_layers(redis.layers):
        passed_on = [
            (layer, name, getattr(channel_layers[alias], name))
            for layer, alias in made_layers.items()
            if alias in redis.layers
            for name in _LAYER_CALLS
        ]
        with installed(passed_on):
            yield


class _SharedConnections:
    """In place of Django's connections of each thread: the shared ones are those of all threads."""

    def __init__(self, usual, shared: dict):
        vars(self).update(shared, _usual=usual)

    def __getattr__(self, alias):
        return getattr(self._usual, alias)

    def __setattr__(self, alias, connection):
        setattr(self._usual, alias, connection)

    def __delattr__(self, alias):
        delattr(self._usual, alias)


@contextmanager
def _database():
    shared = {
        alias: connections[alias]
        for alias in connections
        if connections[alias].in_atomic_block
        or getattr(connections[alias], "is_in_memory_db", bool)()
    }
    opened, here = [], threading.get_ident()

    def note(connection, **kwargs):
        if threading.get_ident() != here:
            opened.append(connection)

    connection_created.connect(note)
    record_queries()
    usual = connections._connections
    connections._connections = _SharedConnections(usual, shared)
    try:
        with ExitStack() as stack:
            for connection in shared.values():
                connection.inc_thread_sharing()
                # Channels closes the connection around a query, because of the transaction.
                for name in ("close", "close_if_unusable_or_obsolete"):
                    stack.enter_context(mock.patch.object(connection, name))
            yield
    finally:
        connections._connections = usual
        connection_created.disconnect(note)
        for connection in shared.values():
            connection.dec_thread_sharing()
        for connection in opened:  # a thread of a pool would keep it
            connection.inc_thread_sharing()
            connection.close()


class NotSimulated(RuntimeError):
    """The code uses something that the simulated world does not have."""


def _refused():
    """Rows that refuse real sockets, other processes, other event loops, uncontrolled threads."""
    no_network = "has no network. Replace what connects in the test", _is_of_django
    return [
        _refusal(socket.socket, "connect", *no_network),
        _refusal(socket, "getaddrinfo", *no_network),
        _refusal(
            *(multiprocessing.process.BaseProcess, "start"),
            "has one process. Replace what starts another one in the test",
        ),
        _refusal(
            *(_thread, "start_new_thread"),
            "controls the threads of threading and concurrent.futures only. Use one of them",
        ),
        _refusal(
            *(asyncio.BaseEventLoop, "run_forever"),
            "has one event loop, on a simulated clock. Await the coroutine, or use async_to_sync()",
            _is_of_asgiref,
        ),
    ]


def _is_of_django(frame) -> bool:
    """Whether Django connects to the database."""
    return "/django/db/" in frame.f_code.co_filename.replace("\\", "/")


def _is_of_asgiref(frame) -> bool:
    """Whether async_to_sync() runs its coroutine in a loop, which lasts no longer."""
    awaited = (frame.f_locals.get(name) for name in ("main", "coro", "future"))
    codes = (getattr(it, "cr_code", None) for it in awaited)
    return any(code is not None and code.co_filename == asgiref.sync.__file__ for code in codes)


def _refusal(owner, name: str, reason: str, permits=lambda frame: False):
    """A row that replaces a function, for calls of the project while the loop runs."""
    usual = getattr(owner, name)

    def call(*args, **kwargs):
        thread, own = this_thread(), args[0] if args else None
        loop = thread.scheduler.loop if thread else None
        if loop and loop.is_running() and own is not loop:
            callers = traceback.walk_stack(sys._getframe(1))
            if not any(permits(frame) for frame, _ in callers):
                raise NotSimulated(f"{owner.__name__}.{name}(): the simulated world {reason}.")
        return usual(*args, **kwargs)

    return owner, name, call
