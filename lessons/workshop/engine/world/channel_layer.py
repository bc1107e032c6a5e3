"""The channel layers of a check: in memory, as strict as Redis, and able to fail as Redis fails."""

import asyncio
import itertools
import time
from collections import defaultdict
from contextlib import ExitStack, asynccontextmanager, contextmanager
from importlib import import_module
from unittest import mock

import msgpack
from channels.layers import BaseChannelLayer, InMemoryChannelLayer, channel_layers

from ..faults.finding import running_places
from ..recording.layer import RecordingLayer
from ..recording.recorder import TrackedMessage, current_connection
from ..scheduling.loop import maybe_suspend
from . import process
from .database import is_in_transaction
from .interleaving import switch_point

# By alias. A recording layer stays for ever; each check puts its own layer inside.
ALIASES = ("default", "pubsub", "encrypted")
_layers_of_checks: defaultdict[str, RecordingLayer] = defaultdict(lambda: RecordingLayer(None))


class _SerializedMessage(dict):
    """A message as bytes, and the lines that sent it if the bytes cannot be read back."""

    def __init__(self, message: dict):
        packed = msgpack.packb(message)
        super().__init__(bytes=packed)
        try:
            msgpack.unpackb(packed)
        except ValueError:
            self["sent_at"] = tuple(running_places())

        self.shared: TrackedMessage | None = None  # what all members of a group receive

    def __deepcopy__(self, memo):
        return self  # its content never changes

    def read(self) -> TrackedMessage:
        """The message that was sent. With Redis, all members of a group receive one dict."""
        try:
            if self.shared is None:
                self.shared = TrackedMessage(msgpack.unpackb(self["bytes"]))
            return self.shared
        except ValueError as error:
            error.sent_at = self["sent_at"]
            raise


class SimulatedLayer(InMemoryChannelLayer):
    """A layer on a FakeRedis: it fails where a Redis layer would.

    It serializes each message as the Redis layers do, with msgpack's packb and unpackb. It calls
    msgpack directly, because the module of their serializer imports cryptography, which takes
    longer than many checks. Channels get numbers in the order of their creation, and belong to the
    connection that made them.
    """

    def __init__(self, redis: "FakeRedis", **config):
        super().__init__(**config)
        self.redis = redis
        self.was_used = False  # new_channel() needs no server, and does not count
        self._numbers = itertools.count(1)
        self._processes: dict[int, int] = {}  # their numbers, from 0 on
        self._begun = time.time()
        self._channels: dict[str | None, str] = {}

    async def new_channel(self, prefix="specific"):
        """The next channel. A connection's first channel is the channel of its consumer.

        As with Redis, the names of each process have another beginning.
        """
        number = self._processes.setdefault(process.get(), len(self._processes)) or ""
        name = f"{prefix}.check{number}!{next(self._numbers)}"
        connection = current_connection.get()
        if connection is not None:
            self._channels.setdefault(connection.id, name)
        return name

    def _clean_expired(self):
        """As in Channels, with one look at the clock while nothing can have expired."""
        now = time.time()
        heads = (queue._queue[0][0] for queue in self.channels.values() if not queue.empty())
        if now - self._begun > self.group_expiry or any(head < now for head in heads):
            super()._clean_expired()

    def channel_of(self, connection: str) -> str | None:
        """Name of the channel of the consumer that serves the connection with that id."""
        return self._channels.get(connection)

    # Calls

    async def send(self, channel, message):
        """As in Channels. A message that cannot be serialized raises at the sender's line."""
        if isinstance(message, _SerializedMessage):  # a part of group_send()
            await super().send(channel, message)
            return
        assert isinstance(message, dict), "message is not a dict"
        message = _SerializedMessage(message)
        async with self._reaching():
            await super().send(channel, message)

    async def group_send(self, group, message):
        """As in Channels. It serializes the message even if the group is empty."""
        assert isinstance(message, dict), "Message is not a dict"
        message = _SerializedMessage(message)
        async with self._reaching():
            self.redis.sends_in_transaction += is_in_transaction()
            await super().group_send(group, message)

    async def group_add(self, group, channel):
        async with self._reaching():
            await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        async with self._reaching():
            await super().group_discard(group, channel)

    async def receive(self, channel):
        """As in Channels. A message that cannot be read back raises here, at the receiver."""
        await maybe_suspend()
        if self.redis.is_stopped:
            raise self.redis.outage()
        message = await super().receive(channel)
        try:
            await maybe_suspend()
        except asyncio.CancelledError:  # a receiver that is cancelled loses no message
            queue = self.channels.setdefault(channel, asyncio.Queue(self.get_capacity(channel)))
            queue._queue.appendleft((time.time() + self.expiry, message))
            queue._wakeup_next(queue._getters)
            raise
        if message is _CONNECTION_CLOSED:
            raise _redis_error("ConnectionError", "Connection closed by server.")
        return message.read()

    async def receive_waiting(self, channel):
        """As receive(), but returns None if no message waits."""
        self._clean_expired()
        queue = self.channels.get(channel)
        return None if queue is None or queue.empty() else await self.receive(channel)

    @asynccontextmanager
    async def _reaching(self):
        """A call of the layer may suspend before it has its effect, and after.

        Another process may act before it, and after.
        """
        await switch_point()
        await maybe_suspend()
        self.was_used = True
        is_cut_off = self.redis.is_cut_off and current_connection.get() is None
        if self.redis.is_stopped or is_cut_off:
            raise self.redis.outage()
        yield
        await maybe_suspend()
        await switch_point()

    def lose_all(self) -> None:
        """Drop groups and messages, and let every waiting receiver find its connection closed."""
        self.groups.clear()
        for queue in self.channels.values():
            while not queue.empty():
                queue.get_nowait()
            queue.put_nowait((time.time() + self.expiry, _CONNECTION_CLOSED))


_CONNECTION_CLOSED = {"type": "a receiver finds its connection closed"}


class FakeRedis:
    """The Redis server behind all layers. A check can stop it, or cut the network to it."""

    def __init__(self):
        self.layers: dict[str, SimulatedLayer] = {}
        self.is_stopped = self.is_cut_off = self.is_full = False
        self.sends_in_transaction = 0  # to groups, while a transaction was not committed

    def stop(self) -> None:
        """Stop the server. It loses its data, and each waiting receiver finds that out."""
        self.is_stopped = True
        self._load_exceptions()
        for layer in self.layers.values():
            layer.lose_all()

    def cut_off(self) -> None:
        """Cut off all code that belongs to no connection, such as a job on another machine."""
        self.is_cut_off = True
        self._load_exceptions()

    def fill_up(self) -> None:
        """Let the server refuse what that code sends: its memory is full."""
        self.cut_off()
        self.is_full = True

    def start(self) -> None:
        """Start the server again at the same address. If it was stopped, it has no data."""
        self.is_stopped = self.is_cut_off = self.is_full = False

    def _load_exceptions(self) -> None:
        """In a thread that is played, so much work (0.1 s) would look like an endless loop."""
        _redis_error("ConnectionError", "")

    def outage(self) -> Exception:
        """A stopped server refuses connections. A cut network is silent."""
        if self.is_full:
            text = "command not allowed when used memory > 'maxmemory'."
            return _redis_error("OutOfMemoryError", text)
        if self.is_stopped:
            text = "Error 111 connecting to localhost:6379. Connect call failed."
            return _redis_error("ConnectionError", text)
        return _redis_error("TimeoutError", "Timeout connecting to server")

    def take_sends_in_transaction(self) -> int:
        """How many there were since this method was called last."""
        taken, self.sends_in_transaction = self.sends_in_transaction, 0
        return taken

    def take_layers_used(self) -> list[str]:
        """Aliases of the layers that were called since this method was called last."""
        used = sorted(name for name, layer in self.layers.items() if layer.was_used)
        for name in used:
            self.layers[name].was_used = False
        return used


def _redis_error(name: str, text: str) -> Exception:
    """What redis-py raises. It is not a subclass of Python's exception of the same name."""
    error = getattr(import_module("redis.exceptions"), name)(text)
    error.is_simulated = True
    return error


# Which layers are in use


def check_layers(aliases=ALIASES):
    """Within it, get_channel_layer() returns the layers of checks, even before a check begins.

    A student's file may call get_channel_layer() when it is imported, and keep the layer. So all
    checks use the same objects.
    """
    return mock.patch.dict(channel_layers.backends, {it: _layers_of_checks[it] for it in aliases})


@contextmanager
def served_layers(layers: dict[str, BaseChannelLayer]):
    """Within it, these are the layers of the code that load_subject() loads, and of all else."""
    with ExitStack() as stack:
        for alias, layer in layers.items():
            stack.enter_context(mock.patch.object(_layers_of_checks[alias], "layer", layer))
        stack.enter_context(check_layers(layers))
        yield


@contextmanager
def fresh_layers(**config):
    """Within it, each alias has a new recorded layer on one FakeRedis. Yields the default layer."""
    redis = FakeRedis()
    redis.layers = {alias: SimulatedLayer(redis, **config) for alias in ALIASES}
    with served_layers(redis.layers):
        yield redis.layers["default"]


def current_layers() -> dict[str, SimulatedLayer]:
    """The layers of the running check, by alias."""
    layers = {alias: getattr(it, "layer", None) for alias, it in channel_layers.backends.items()}
    return {alias: layer for alias, layer in layers.items() if isinstance(layer, SimulatedLayer)}


def current_layer() -> SimulatedLayer | None:
    """The default layer of the running check, or None."""
    return current_layers().get("default")
