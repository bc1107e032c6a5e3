"""What surrounds the project's application in a test: layers, cache, database, clock.

The channel layers are the simulated ones, under the project's aliases. A cache on another machine
is replaced by one in memory. The database is that of the test: in a transaction that is rolled
back, or in memory, all threads share the test's connection; otherwise each has its own.
"""

import threading
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from unittest import mock

import channels.consumer
import channels.db
import channels.generic.websocket
from channels.layers import channel_layers
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from ..recording.queries import record_queries
from ..scheduling import clock, threads
from ..scheduling.loop import SimulatedLoop, suspend
from ..scheduling.patches import installed
from ..world.cache import fresh_cache
from ..world.channel_layer import FakeRedis, SimulatedLayer, served_layers
from .made_layers import made_layers
from .refused import refused

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
        is_shared = enter(_database()) if uses_database else True
        replaced = [
            (threads, "has_connections", lambda executor: not is_shared),
            # Other fixtures may have saved rows and sessions with the real time.
            (clock, "BEGINNING", datetime.now(UTC)),
        ]
        if not uses_database:
            # An earlier test may have left a connection in the thread of database_sync_to_async().
            replaced.append((channels.db, "close_old_connections", lambda **kwargs: None))
        if is_shared and loop.random is None:
            # Channels awaits a thread before each handler, which would find nothing to close.
            modules = channels.consumer, channels.generic.websocket
            replaced += [(module, "aclose_old_connections", suspend) for module in modules]
        enter(installed(replaced))
        enter(clock.simulated_clock(loop))
        enter(refused(loop))
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
    """Within it, threads use the database of the test. Yields whether they use its connections."""
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
            yield shared.keys() == {*connections}
    finally:
        connections._connections = usual
        connection_created.disconnect(note)
        for connection in shared.values():
            connection.dec_thread_sharing()
        for connection in opened:  # a thread of a pool would keep it
            connection.inc_thread_sharing()
            connection.close()
