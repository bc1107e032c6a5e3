"""`bench fanout`: one `group_send` to many, by channel layer, from one process and from two."""

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from lessons.bench.connection import PATIENCE, Connection, crowd, frame
from lessons.bench.fanned import BACKENDS
from lessons.bench.processes import Server, servers
from lessons.redis_server import RedisServer

SIZES = (10, 100, 1000)
IN_MEMORY, *ON_REDIS = BACKENDS
PROCESSES = (1, 2)
QUIET = 0.5  # seconds without a delivery, after which the others are asked
WARM_UP = 2  # turns that do not count


class Member(Connection):
    """A client in a room: says a word, and passes each that it hears to `heard`."""

    heard: Callable[["Member", bytes], None]

    def say(self, word: bytes) -> None:
        self.transport.write(frame(word))

    def frames_came(self):
        while len(self._came) > 1 and len(self._came) >= (end := 2 + self._came[1]):
            word, self._came = self._came[2:end], self._came[end:]
            self.heard(self, word)


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
        """One member speaks; done when each has heard it, or is known to hear it no more."""
        self.turns += 1
        self._word, self._times, self._open = str(self.turns).encode(), {}, set(self.members)
        self._all = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.members[0].say(self._word)
        async with asyncio.timeout(PATIENCE):
            while not self._all.done():
                known = len(self._times)
                await asyncio.wait([self._all], timeout=QUIET)
                if known == len(self._times) and self.members[0] in self._times:
                    break
            self._ask_the_others()
            await self._all
        if self.turns > WARM_UP:
            self.figures.seconds.append(max(self._times.values()) - started)
            self.figures.delivered.append(len(self._times))

    def _ask_the_others(self) -> None:
        """Whose own question comes back before the word will not hear the word any more."""
        for member in tuple(self._open):
            member.say(b"?" + self._word)

    def _heard(self, member: Member, word: bytes) -> None:
        if word == self._word:
            self._times[member] = time.perf_counter()
        elif word != b"?" + self._word:
            return  # of an earlier turn
        self._open.discard(member)
        if not self._open and not self._all.done():
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
        for number in range(WARM_UP + rounds):
            for room in rooms[:: -1 if number % 2 else 1]:
                await room.take_turn()
        for room in rooms:
            room.empty()
            figures[room.layer, len(room.servers), size] = room.figures
    return figures
