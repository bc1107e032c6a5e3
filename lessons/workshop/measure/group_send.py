"""`bench group_send`: what one `group_send` costs, by channel layer and consumer.

Every version is a room: what one client sends, all clients of the room receive. It is measured from
that frame until the last client has it, beside a plain ASGI function that keeps a set of `send`.
`python -m lessons.workshop.measure.group_send VERSION URL PREFIX` is the server.
"""

import asyncio
import os
import sys
import time
import uuid
from contextlib import ExitStack
from statistics import median

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings
from django.test import override_settings

from lessons.extras.shared_channel import Radio
from lessons.workshop.measure import in_process
from lessons.workshop.measure.client import Client, connect_many
from lessons.workshop.measure.event import LeanDispatch
from lessons.workshop.measure.servers import serve_with_daphne, servers
from lessons.workshop.setup.redis_server import RedisServer

SIZES = (10, 100, 1000)  # clients of a room
ROUND_TIMEOUT = 60  # seconds
WARM_UP = 2  # rounds that do not count
CAPACITY = 10_000  # of a channel, and of the connections to Redis

MEMBERS = set()


async def bare(scope, receive, send):
    """A room without Channels. It reaches the clients of this process only."""
    while (event := await receive())["type"] != "websocket.disconnect":
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
            MEMBERS.add(send)
        else:
            for send_to_member in tuple(MEMBERS):
                await send_to_member({"type": "websocket.send", "text": event["text"]})
    MEMBERS.discard(send)


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.channel_layer.group_send("room", {"type": "room.message", "text": event["text"]})

    async def room_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("room", self.channel_name)
        raise StopConsumer


class LeanMember(LeanDispatch, Member):
    pass


IN_MEMORY = "channels.layers.InMemoryChannelLayer"
REDIS = "channels_redis.core.RedisChannelLayer"
PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
VERSIONS = {
    "bare ASGI function": (IN_MEMORY, bare),
    "in memory": (IN_MEMORY, Member.as_asgi()),
    "Redis": (REDIS, Member.as_asgi()),
    "Redis pub/sub": (PUBSUB, Member.as_asgi()),
    "Redis, lean dispatch": (REDIS, LeanMember.as_asgi()),
    "Redis, shared channel": (REDIS, Radio.as_asgi()),
}


def layers(backend: str, url: str, prefix: str) -> dict:
    """The setting CHANNEL_LAYERS. A prefix keeps a room apart from all others on this Redis."""
    config = {}
    if backend != IN_MEMORY:
        # redis-py opens at most 100 connections by default and raises an error for the next one.
        # A thousand clients that connect or close at once need more.
        host = {"address": url, "socket_timeout": None, "max_connections": CAPACITY}
        config = {"hosts": [host], "prefix": prefix, "capacity": CAPACITY}
    return {"default": {"BACKEND": backend, "CONFIG": config}}


async def measure_round(clients: list[Client], number: int) -> float:
    """One client sends a text. The milliseconds until each has received it."""
    text, waiting, all_received = str(number).encode(), set(clients), asyncio.Event()

    def on_text(client, payload):
        if payload == text:
            waiting.discard(client)
            if not waiting:
                all_received.set()

    for client in clients:
        client.on_text = on_text
    started = time.perf_counter()
    clients[0].send_text(text)
    async with asyncio.timeout(ROUND_TIMEOUT):
        await all_received.wait()
    return (time.perf_counter() - started) * 1000


async def measure(rounds: int, sizes: tuple[int, ...]) -> dict[tuple[str, int], list[float]]:
    """The milliseconds of each round by (version, clients). Raises RedisUnavailable.

    In each round all versions take turns, so that all meet the same load of the machine.
    """
    figures: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        url = os.environ.get("REDIS_URL") or stack.enter_context(RedisServer()).url
        arguments = [(version, url, f"bench{uuid.uuid4().hex}") for version in VERSIONS]
        ports = stack.enter_context(servers(__spec__.name, arguments))
        for size in sizes:
            rooms = [
                (version, await connect_many(size, port))
                for port, version in zip(ports, VERSIONS, strict=True)
            ]
            for number in range(WARM_UP + rounds):
                for version, clients in rooms[:: -1 if number % 2 else 1]:
                    ms = await measure_round(clients, number)
                    if number >= WARM_UP:
                        figures.setdefault((version, size), []).append(ms)
            for _, clients in rooms:
                for client in clients:
                    client.close()
    return figures


def run(rounds: int, sizes: tuple[int, ...] = SIZES) -> str:
    """The table: milliseconds until the last client has the text, and the ratio for most clients.

    A ratio is the median of each round's own, because both meet the same load.
    """
    figures = asyncio.run(measure(rounds, sizes))
    bare, *_ = VERSIONS
    lines = ["ms, by clients            " + "".join(f"{n:>8}" for n in sizes) + "   bare = 1"]
    for version in VERSIONS:
        cells = "".join(f"{median(figures[version, size]):>8.1f}" for size in sizes)
        pairs = zip(figures[version, sizes[-1]], figures[bare, sizes[-1]], strict=True)
        ratio = median(mine / peer for mine, peer in pairs)
        lines.append(f"{version:<26}{cells}{ratio:>11.1f}")
    return "\n".join(lines)


def profile() -> str:
    """Where the time of a `group_send` to AsyncConsumers goes, in one process and without Redis."""
    applications = {
        "bare ASGI function": bare,
        "AsyncConsumer, lean dispatch": LeanMember.as_asgi(),
        "AsyncConsumer": Member.as_asgi(),
    }
    with override_settings(CHANNEL_LAYERS=layers(IN_MEMORY, "", "")):
        return in_process.report(applications, clients=100, texts=20)


if __name__ == "__main__":
    version, url, prefix = sys.argv[1:]
    backend, application = VERSIONS[version]
    settings.CHANNEL_LAYERS = layers(backend, url, prefix)
    serve_with_daphne(application)
