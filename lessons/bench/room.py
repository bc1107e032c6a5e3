"""A room full of clients, and the time until the last of them has heard a word."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lessons.bench.connection import Connection, crowd, frame
from lessons.bench.processes import Server

QUIET = 0.5  # seconds without a delivery, after which the others are asked
PATIENCE = 60  # seconds for a turn, on a machine that is busy with other things
WARM_UP = 2  # turns that do not count


class Member(Connection):
    """A client in a room: says a word, and passes each that it hears to `heard`."""

    heard: Callable[["Member", bytes], None]

    def say(self, word: bytes) -> None:
        self.transport.write(frame(word))

    def frames_came(self):
        while len(self._came) > 1 and len(self._came) >= (end := 2 + self._came[1]):
            word, self._came = self._came[2:end], self._came[end:]
            self.heard(self, self.unwrapped(word))

    def unwrapped(self, payload: bytes) -> bytes:
        return payload


class Chatter(Member):
    """The same in the tutorial's chat, where a word is wrapped in JSON."""

    def say(self, word):
        super().say(json.dumps({"message": word.decode()}).encode())

    def unwrapped(self, payload):
        return json.loads(payload)["message"].encode()


@dataclass
class Figures:
    """What the turns gave for a room of one size."""

    seconds: list[float] = field(default_factory=list)  # to the last delivery
    delivered: list[int] = field(default_factory=list)


@dataclass
class Room:
    """Clients of one process or of two, who stay connected while the turns are taken."""

    layer: str  # and whose chat it is, where that is not our own
    servers: list[Server]
    members: list[Member] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    turns: int = 0
    path: str = "/room"
    kind: type[Member] = Member

    async def fill(self, size: int) -> None:
        share = size // len(self.servers)
        for server in self.servers:
            self.members += await crowd(share, server.port, self.path, self.kind)
        for member in self.members:
            member.heard = self._heard
        self.figures, self.turns = Figures(), 0

    async def take_turn(self) -> None:
        """One member speaks; done when each has heard it, or is known to hear it no more."""
        self.turns += 1
        self._word, self._times, self._open = str(self.turns).encode(), {}, set(self.members)
        self._asked, self._all = None, asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.members[0].say(self._word)
        async with asyncio.timeout(PATIENCE):
            await self._until_all_heard_or_quiet()
            await self._ask_the_others()
        if self.turns > WARM_UP:
            self.figures.seconds.append(max(self._times.values()) - started)
            self.figures.delivered.append(len(self._times))

    async def _until_all_heard_or_quiet(self) -> None:
        known = -1
        while known < len(self._times) or self.members[0] not in self._times:
            known = len(self._times)
            await asyncio.wait([self._all], timeout=QUIET)
            if self._all.done():
                return

    async def _ask_the_others(self) -> None:
        """Whose own question comes back before the word will not hear the word any more."""
        for member in tuple(self._open):  # one at a time: all at once would be a load of its own
            if member in self._open:
                self._asked, self._answer = member, asyncio.get_running_loop().create_future()
                member.say(b"?" + self._word)
                await self._answer

    def _heard(self, member: Member, word: bytes) -> None:
        if word == self._word:
            self._times[member] = time.perf_counter()
        elif word != b"?" + self._word:
            return  # of an earlier turn
        self._open.discard(member)
        if member is self._asked and not self._answer.done():
            self._answer.set_result(None)
        if not self._open and not self._all.done():
            self._all.set_result(None)

    def empty(self) -> None:
        for member in self.members:
            member.leave()
        self.members = []
