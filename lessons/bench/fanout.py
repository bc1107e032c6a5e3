"""`bench fanout`: one `group_send` to many, by channel layer, from one process and from two."""

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from lessons.bench.connection import Connection, crowd, frame
from lessons.bench.fanned import BACKENDS
from lessons.bench.processes import Server, servers
from lessons.redis_server import RedisServer

SIZES = (10, 100, 1000)
IN_MEMORY, *ON_REDIS = BACKENDS
PROCESSES = (1, 2)
QUIET = 1.0  # seconds without a delivery, after which the rest is taken for lost
WARM_UP = 2  # turns that do not count


class Member(Connection):
    """A client in a room: says a word, and passes each that it hears to `heard`."""

    heard: Callable[[bytes], None]

    def say(self, word: bytes) -> None:
        self.transport.write(frame(word))

    def frames_came(self):
        while len(self._came) > 1 and len(self._came) >= (end := 2 + self._came[1]):
            word, self._came = self._came[2:end], self._came[end:]
            self.heard(word)


@dataclass
class Figures:
    """What the turns gave for a room of one size."""

    seconds: list[float] = field(default_factory=list)  # to the last delivery
    delivered: list[int] = field(default_factory=list)


@dataclass
class Room:
    """Clients of one process or of two, who stay connected while the turns are taken."""

    layer: str
    servers: list[Server]
    members: list[Member] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    turns: int = 0

    async def fill(self, size: int) -> None:
        share = size // len(self.servers)
        for server in self.servers:
            self.members += await crowd(share, server.port, "/room", Member)
        for member in self.members:
            member.heard = self._heard
        self.figures, self.turns = Figures(), 0

    async def take_turn(self) -> None:
        """One member speaks; done when all have heard it, or nobody else does."""
        self.turns += 1
        self._word, self._times = str(self.turns).encode(), []
        self._all = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.members[0].say(self._word)
        while not self._all.done() and self._is_under_way(started):
            await asyncio.wait([self._all], timeout=QUIET / 10)
        if self.turns > WARM_UP:
            self.figures.seconds.append(max(self._times, default=started) - started)
            self.figures.delivered.append(len(self._times))

    def _is_under_way(self, started: float) -> bool:
        last = max(self._times, default=started)
        return time.perf_counter() - last < QUIET

    def _heard(self, word: bytes) -> None:
        if word == self._word:  # and not one of an earlier turn, too late
            self._times.append(time.perf_counter())
            if len(self._times) == len(self.members):
                self._all.set_result(None)

    def empty(self) -> None:
        for member in self.members:
            member.leave()
        self.members = []


All = dict[tuple[str, int, int], Figures]


def measure(rounds: int, sizes=SIZES) -> All:
    """The figures by (layer, processes, clients).

    The rooms of one size take turns in each round, forwards and then backwards, so that all meet
    the same load of the machine. Raises NoRedis where there is none.
    """
    with ExitStack() as stack:
        url = os.environ.get("REDIS_URL") or stack.enter_context(RedisServer()).url
        rooms = [
            Room(layer, stack.enter_context(servers([layer] * count, **_program(layer, url))))
            for layer in BACKENDS
            for count in PROCESSES
        ]
        return asyncio.run(_measure(rooms, rounds, sizes))


def _program(layer: str, url: str) -> dict:
    # With a prefix of its own each room is alone, whoever else uses this Redis.
    arguments = [] if layer == IN_MEMORY else [url, f"bench{uuid.uuid4().hex}"]
    return {"program": "lessons.bench.fanned", "arguments": arguments}


async def _measure(rooms: list[Room], rounds: int, sizes) -> All:
    figures = {}
    for size in sizes:
        for room in rooms:
            await room.fill(size)
        for _ in range(WARM_UP + rounds):
            for room in rooms:
                await room.take_turn()
            rooms.reverse()
        for room in rooms:
            room.empty()
            figures[room.layer, len(room.servers), size] = room.figures
    return figures
