"""`bench fanout`: one `group_send` to many clients, by channel layer, in one and two processes.

In one process also without the check of database connections ("lean"), and with one channel for all
clients of the process ("shared channel").
"""

import asyncio
import json
import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from lessons.workshop.measure import chart
from lessons.workshop.measure.client import Connection, connect_many, frame
from lessons.workshop.measure.processes import Server, servers
from lessons.workshop.measure.report import Column, Options, Report, text_table
from lessons.workshop.measure.servers.fanout_server import BACKENDS, PROBE
from lessons.workshop.setup.redis_server import RedisServer

SIZES = (10, 100, 1000)
IN_MEMORY, REDIS, _ = BACKENDS
TUTORIAL = "the tutorial's chat, Redis"
LEAN, SHARED = "lean", "shared channel"
# What each version of the chat no longer does, compared with the one before it.
STEPS = {
    TUTORIAL: "",
    REDIS: "generic consumer and JSON",
    f"{REDIS}, {LEAN}": "check of the database connections",
    f"{REDIS}, {SHARED}": "a channel for each client",
}
PROCESSES = (1, 2)
CHARTED = (*BACKENDS, f"{REDIS}, {SHARED}", TUTORIAL)  # a chart has five colours
QUIET_TIMEOUT = 0.5  # seconds without a delivery, after which the waiting clients are probed
ROUND_TIMEOUT = 60  # seconds
WARM_UP = 2  # rounds that do not count
COLUMNS = [
    Column("clients", ">7", "clients"),
    Column("ms", ">9", "last", "ms", ".1f"),
    Column("ratio", ">8", "ratio", "", ".2f"),
    Column("growth", ">8", "growth", "times", ".1f"),
    Column("deliveries_per_second", ">12", "deliveries", "1/s"),
    Column("lost", ">7", "lost", "", ".1%"),
]


@dataclass
class Figures:
    """What the rounds measured for a room of one size, one value a round."""

    seconds: list[float] = field(default_factory=list)  # to the last delivery
    delivered: list[int] = field(default_factory=list)


AllFigures = dict[tuple[str, int, int], Figures]  # by (layer, processes, clients)


def run(options: Options) -> Report:
    rounds = options.rounds_or(15, quick=5)
    rows = rows_of(measure(rounds, SIZES[:-1] if options.quick else SIZES))
    return Report(
        {"rounds": rounds, "rows": rows},
        f"{table_of(rows)}\n\n{explain_time(rows)}",
        chart.lines(
            "Milliseconds from one group_send to its last delivery",
            series_of(rows),
            "WebSocket clients in the room",
        ),
    )


def measure(rounds: int, sizes=SIZES) -> AllFigures:
    """The figures by (layer, processes, clients). Raises RedisUnavailable.

    Each round measures all rooms of one size, forwards and then backwards, so that all meet the
    same load of the machine.
    """
    with ExitStack() as stack:
        url = os.environ.get("REDIS_URL") or stack.enter_context(RedisServer()).url
        rooms = [
            Room(layer, stack.enter_context(_servers(layer, url, count)))
            for layer in BACKENDS
            for count in PROCESSES
        ]
        for layer in BACKENDS:
            for kind, path in ((LEAN, "/lean"), (SHARED, "/shared")):
                server = stack.enter_context(_servers(layer, url, 1))
                rooms.append(Room(f"{layer}, {kind}", server, path=path))
        peer = stack.enter_context(_servers(REDIS, url, 1))
        rooms.append(Room(TUTORIAL, peer, path="/tutorial", kind=TutorialMember))
        return asyncio.run(_measure(rooms, rounds, sizes))


def _servers(layer: str, url: str, count: int):
    # Its own prefix keeps each room apart from everything else on this Redis.
    arguments = [layer] if layer == IN_MEMORY else [layer, url, f"bench{uuid.uuid4().hex}"]
    return servers("fanout_server", *[arguments] * count)


async def _measure(rooms: list["Room"], rounds: int, sizes) -> AllFigures:
    figures = {}
    for size in sizes:
        for room in rooms:
            await room.fill(size)
        for number in range(WARM_UP + rounds):
            for room in rooms[:: -1 if number % 2 else 1]:
                await room.measure_round()
        for room in rooms:
            room.empty()
            figures[room.layer, len(room.servers), size] = room.figures
    return figures


class Member(Connection):
    """A client in a room. It passes each text that it receives to `on_text`."""

    on_text: Callable[["Member", bytes], None]

    def send_text(self, text: bytes) -> None:
        self.transport.write(frame(text))

    def handle_frames(self):
        while len(self._buffer) > 1 and len(self._buffer) >= (end := 2 + self._buffer[1]):
            payload, self._buffer = self._buffer[2:end], self._buffer[end:]
            self.on_text(self, self.text_of(payload))

    def text_of(self, payload: bytes) -> bytes:
        return payload


class TutorialMember(Member):
    """A client of the tutorial's chat, which wraps each text in JSON."""

    def send_text(self, text):
        super().send_text(json.dumps({"message": text.decode()}).encode())

    def text_of(self, payload):
        return json.loads(payload)["message"].encode()


@dataclass
class Room:
    """Clients of one or two processes. They stay connected for all rounds of one size."""

    layer: str  # or TUTORIAL
    servers: list[Server]
    members: list[Member] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    rounds: int = 0
    path: str = "/room"
    kind: type[Member] = Member

    async def fill(self, size: int) -> None:
        share = size // len(self.servers)
        for server in self.servers:
            self.members += await connect_many(share, server.port, self.path, self.kind)
        for member in self.members:
            member.on_text = self._on_text
        self.figures, self.rounds = Figures(), 0

    async def measure_round(self) -> None:
        """One member sends a text. Wait until each member has received it or never will."""
        self.rounds += 1
        self._text, self._times, self._waiting = str(self.rounds).encode(), {}, set(self.members)
        self._probed, self._all = None, asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        self.members[0].send_text(self._text)
        async with asyncio.timeout(ROUND_TIMEOUT):
            await self._until_all_received_or_quiet()
            await self._probe_waiting_members()
        if self.rounds > WARM_UP:
            self.figures.seconds.append(max(self._times.values()) - started)
            self.figures.delivered.append(len(self._times))

    async def _until_all_received_or_quiet(self) -> None:
        known = -1
        while known < len(self._times) or self.members[0] not in self._times:
            known = len(self._times)
            await asyncio.wait([self._all], timeout=QUIET_TIMEOUT)
            if self._all.done():
                return

    async def _probe_waiting_members(self) -> None:
        """A member that receives its own probe before the text will not receive the text."""
        for member in tuple(self._waiting):  # one at a time: all at once would be a load as well
            if member in self._waiting:
                self._probed, self._answer = member, asyncio.get_running_loop().create_future()
                member.send_text(PROBE.encode() + self._text)
                await self._answer

    def _on_text(self, member: Member, text: bytes) -> None:
        if text == self._text:
            self._times[member] = time.perf_counter()
        elif text != PROBE.encode() + self._text:
            return  # it belongs to an earlier round
        self._waiting.discard(member)
        if member is self._probed and not self._answer.done():
            self._answer.set_result(None)
        if not self._waiting and not self._all.done():
            self._all.set_result(None)

    def empty(self) -> None:
        for member in self.members:
            member.close()
        self.members = []


def rows_of(figures: AllFigures) -> list[dict]:
    """A row for each layer, number of processes and number of clients: medians over the rounds.

    `ratio` compares with the tutorial's chat of the same size, `growth` with the next smaller room.
    """
    rows, smaller = [], {}
    for (layer, processes, clients), one in sorted(figures.items(), key=lambda item: item[0][2]):
        seconds = median(one.seconds)
        before = smaller.get((layer, processes))
        rows.append(
            {
                "layer": layer,
                "processes": processes,
                "clients": clients,
                "ms": round(1000 * seconds, 2),
                "ratio": round(seconds / median(figures[TUTORIAL, 1, clients].seconds), 3),
                "growth": round(seconds / before, 2) if before else None,
                "deliveries_per_second": round(median(one.delivered) / seconds),
                "lost": round(1 - sum(one.delivered) / (clients * len(one.delivered)), 4),
            }
        )
        smaller[layer, processes] = seconds
    return rows


def explain_time(rows: list[dict]) -> str:
    """Where the time of the tutorial's chat goes, in the largest room: what each step saves."""
    largest = max(row["clients"] for row in rows)
    ms = {
        row["layer"]: row["ms"]
        for row in rows
        if (row["processes"], row["clients"]) == (1, largest)
    }
    lines = [f"Where the tutorial's {ms[TUTORIAL]:.0f} ms go, {largest} clients, {REDIS}:"]
    for before, after in pairwise(STEPS):
        share = (ms[before] - ms[after]) / ms[TUTORIAL]
        lines.append(f"  {STEPS[after]:<36}{share:>5.0%}")
    lines.append(
        f"  {'the rest: frames, network, clients':<36}{ms[[*STEPS][-1]] / ms[TUTORIAL]:>5.0%}"
    )
    return "\n".join(lines)


def setup_of(row: dict) -> str:
    count = row["processes"]
    return f"{row['layer']}, {count} process{'es' if count > 1 else ''}"


def title_of(row: dict) -> str:
    """The setup, and the share of messages that it lost."""
    return setup_of(row) + (f", {row['lost']:.0%} lost" if row["lost"] else "")


def table_of(rows: list[dict]) -> str:
    """All figures as lines of text that fit on a phone."""
    titled = [{**row, "setup": setup} for setup, own in by_setup(rows).items() for row in own]
    return text_table(COLUMNS, titled, "setup")


def series_of(rows: list[dict]) -> list[dict]:
    """The lines of the chart: a colour for each layer, dashes for two processes."""
    rows = [row for row in rows if row["layer"] in CHARTED]
    layers = list(dict.fromkeys(row["layer"] for row in rows))
    return [
        {
            "what": title_of(own[-1]),
            "points": [(row["clients"], row["ms"]) for row in own],
            "colour": layers.index(own[0]["layer"]),
            "dashed": own[0]["processes"] > 1,
        }
        for own in by_setup(rows).values()
    ]


def by_setup(rows: list[dict]) -> dict[str, list[dict]]:
    """The rows of each layer and number of processes."""
    setups: dict[str, list[dict]] = {}
    for row in rows:
        setups.setdefault(setup_of(row), []).append(row)
    return setups
