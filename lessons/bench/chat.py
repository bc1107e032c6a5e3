"""`bench chat`: what chat members receive while connections, a server and Redis fail.

Two servers share one database and one Redis. Members connect again after each loss, as the chat's
page does. Then the soak: what one server still holds after many connections have come and gone.
"""

import asyncio
import json
import os
import random
import sqlite3
import tempfile
import time
import urllib.request
import uuid
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import WebSocketException

from lessons.bench import processes
from lessons.bench.client import connect, connect_many
from lessons.bench.processes import Server, raise_file_limit, servers
from lessons.bench.report import Column, Options, Report, text_table
from lessons.core import catalogue
from lessons.core.redis_server import RedisServer

PROGRAM = "chat_server"
MEMBERS_PER_ROOM = 20
MESSAGES_PER_SECOND = 12  # of all members together
HANDSHAKES_AT_ONCE = 10
CONNECTION_LIFETIME = 60.0  # seconds, on average, until a member loses its connection
RECONNECT_DELAY = 0.2, 1.0  # seconds
HANDSHAKE_TIMEOUT = 60  # seconds, on a busy machine
PHASE_TIMEOUT = 600  # seconds until all members are connected, and until all have every message
COMPLAINTS = {  # texts of Daphne and SQLite in the servers' log
    "database_locked": "database is locked",
    "killed_by_daphne": "took too long to shut down and was killed",
}
# Each of these figures must be 0.
LOSSES = ("kept_twice", "confirmed_not_kept", "delivered_twice", "out_of_order", "not_delivered")
# Each of these must be a number. None means that it took longer than PHASE_TIMEOUT.
DURATIONS = ("all_in_after_s", "caught_up_after_s")

SOAK_STAY = 3  # seconds in which the connected consumers work
SOAK_TIMEOUT = 30  # seconds until the server must have freed what the connections held
# A figure may grow by this factor, because caches take some memory once.
SOAK_GROWTH = {"tasks": 1.0, "threads": 1.0, "groups": 1.0, "blocks": 1.02}
SOAK_COLUMNS = [
    Column("when", "<24"),
    Column("tasks", ">8", "tasks"),
    Column("threads", ">9", "threads"),
    Column("groups", ">8", "groups"),
    Column("blocks", ">9", "blocks"),
    Column("memory_mb", ">11", "memory", "MB", ".1f"),
]


def run(options: Options) -> Report:
    members = options.connections or (30 if options.quick else 200)
    seconds = options.seconds or (15 if options.quick else 60)
    found = measure(max(1, members // MEMBERS_PER_ROOM), members, seconds)
    connections = options.connections or (200 if options.quick else 1000)
    lesson = catalogue.find(options.lesson or "push")
    rows = measure_soak(lesson.demo, connections, waves=options.rounds_or(3, quick=1))
    chat = {"members": members, "seconds": seconds, **found}
    soak = {"lesson": lesson.key, "connections": connections, "rows": rows}
    lines = [f"{name.replace('_', ' '):<24}{value!s:>16}" for name, value in chat.items()]
    title = f"{connections} connections to the worked example of {lesson.key}"
    wrong = faults(found) + ([] if is_clean(rows) else ["left behind by the soak"])
    return Report(
        {**chat, "soak": soak},
        "\n".join([*lines, "", title, text_table(SOAK_COLUMNS, rows)]),
        fault=f"These figures are wrong: {', '.join(wrong)}." if wrong else "",
    )


def measure(rooms: int, members: int, seconds: float) -> dict:
    """Figures: what was sent, confirmed, kept and delivered, and what of it was lost."""
    with chat_cluster(rooms, members) as cluster:
        return asyncio.run(_measure(cluster, seconds))


async def _measure(cluster: "ChatCluster", seconds: float) -> dict:
    members = cluster.members
    tasks = [asyncio.create_task(member.run()) for member in members]
    try:
        all_in = await _until(lambda: all(one.connections for one in members), tasks)
        cluster.is_talking = True
        tasks.append(losing := asyncio.create_task(_lose_connections(members)))
        await asyncio.sleep(seconds / 3)
        cluster.kill_server()
        await asyncio.to_thread(cluster.start_server)
        await asyncio.sleep(seconds / 3)
        cluster.redis.stop()
        await asyncio.sleep(min(1.0, seconds / 10))
        # A server closes its connections one after the other, and only while Redis is stopped.
        await _until(lambda: not any(one.is_connected for one in members), tasks)
        cluster.redis.start()
        await asyncio.sleep(seconds / 3)
        losing.cancel()
        cluster.is_talking = False
        caught_up = await _until(cluster.is_caught_up, tasks)
        return figures_of(cluster) | {"all_in_after_s": all_in, "caught_up_after_s": caught_up}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _lose_connections(members: list["Member"]) -> None:
    while True:
        await asyncio.sleep(random.expovariate(len(members) / CONNECTION_LIFETIME))
        random.choice(members).lose_connection()


async def _until(condition, tasks: list[asyncio.Task]) -> float | None:
    """Seconds until the condition is true, or None after PHASE_TIMEOUT. Raises a task's error."""
    started = time.monotonic()
    while not condition():
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
        if time.monotonic() - started > PHASE_TIMEOUT:
            return None
        await asyncio.sleep(0.1)
    return round(time.monotonic() - started, 2)


class Member:
    """A member of a room. Like the chat's page, it reconnects and sends lost messages again."""

    def __init__(self, cluster: "ChatCluster", room: str, session: str):
        self.cluster, self.room = cluster, room
        self._session = session
        self.ids: list[int] = []  # of all messages received, in their order
        self.sent: list[str] = []  # keys
        self.confirmed: set[str] = set()
        self.refused = 0
        self.connections = 0
        self.is_connected = False
        self.gaps: list[float] = []  # seconds without a connection
        self.pending: str | None = None  # key of the message that is not confirmed yet
        self._confirmation = asyncio.Event()
        self._socket = None

    @property
    def last_id(self) -> int:
        return max(self.ids, default=0)

    async def run(self) -> None:
        """Stay connected to one of the servers until cancelled. Talk while the cluster talks."""
        lost_at = time.monotonic()
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                async with self.cluster.handshakes:  # many handshakes at once are not measured here
                    self._socket = await self._connect()
                async with self._socket:
                    self.connections += 1
                    self.is_connected = True
                    self.gaps.append(time.monotonic() - lost_at)
                    try:
                        await self._converse(self._socket)
                    finally:
                        self.is_connected = False
                        lost_at = time.monotonic()
            await asyncio.sleep(random.uniform(*RECONNECT_DELAY))

    def lose_connection(self) -> None:
        """Cut the connection without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    def _connect(self):
        host = f"127.0.0.1:{random.choice(self.cluster.servers).port}"
        return connect_websocket(
            f"ws://{host}/ws/chat/{self.room}/?seen={self.last_id}",
            origin=f"http://{host}",
            additional_headers={"Cookie": f"sessionid={self._session}"},
            proxy=None,
            open_timeout=HANDSHAKE_TIMEOUT,
            ping_interval=None,
        )

    async def _converse(self, socket) -> None:
        talking = asyncio.create_task(self._talk(socket))
        try:
            async for text in socket:
                self._handle_frame(json.loads(text))
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    async def _talk(self, socket) -> None:
        """Send the next message when the last one is confirmed. Repeat one that is not."""
        while True:
            if self.pending is None:
                pause = len(self.cluster.members) / MESSAGES_PER_SECOND
                await asyncio.sleep(random.expovariate(1 / pause))
                if not self.cluster.is_talking:
                    continue
                self.pending = uuid.uuid4().hex
                self.sent.append(self.pending)
            self._confirmation.clear()
            await socket.send(json.dumps({"message": f"about {self.room}", "key": self.pending}))
            await self._confirmation.wait()

    def _handle_frame(self, frame: dict) -> None:
        self.refused += "error" in frame
        if "message" in frame:
            self.ids.append(frame["id"])
            if (key := frame.get("key")) is not None:
                self.confirmed.add(key)
                if key == self.pending:
                    self.pending = None
                    self._confirmation.set()


@dataclass
class ChatCluster:
    """Two servers on one Redis and one database, and the members of their rooms."""

    database: str
    redis: RedisServer
    servers: list[Server] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    is_talking = False
    handshakes: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(HANDSHAKES_AT_ONCE)
    )

    def start_server(self) -> None:
        server = Server(PROGRAM, self.database, "serve")
        server.wait_until_it_listens()
        self.servers.append(server)

    def kill_server(self) -> None:
        self.servers.pop(0).stop()

    def rows(self) -> dict[str, list[tuple[int, str]]]:
        """Id and key of each message in the database, by room."""
        rows = {}
        query = "SELECT r.name, m.id, m.key FROM db_demo_message m JOIN db_demo_room r "
        with closing(sqlite3.connect(self.database)) as connection:
            for room, id, key in connection.execute(query + "ON r.id = m.room_id ORDER BY m.id"):
                rows.setdefault(room, []).append((id, key))
        return rows

    def is_caught_up(self) -> bool:
        """Whether each member is connected and has received the last message of its room."""
        last = {room: messages[-1][0] for room, messages in self.rows().items()}
        return all(
            one.is_connected and one.pending is None and one.last_id >= last.get(one.room, 0)
            for one in self.members
        )

    def complaints(self) -> dict[str, int]:
        """How often the log of both servers has each of COMPLAINTS."""
        text = Path(f"{self.database}.log").read_text("utf-8", "replace")
        return {name: text.count(words) for name, words in COMPLAINTS.items()}


@contextmanager
def chat_cluster(rooms: int, members: int):
    raise_file_limit()
    with RedisServer() as redis, tempfile.TemporaryDirectory() as folder:
        cluster = ChatCluster(str(Path(folder) / "chat.sqlite3"), redis)
        for number, session in enumerate(_create_sessions(cluster.database, members)):
            cluster.members.append(Member(cluster, f"room{number % rooms}", session))
        with mock.patch.dict(os.environ, REDIS_URL=redis.url):
            try:
                cluster.start_server()
                cluster.start_server()
                yield cluster
            finally:
                for server in cluster.servers:
                    server.stop()


def _create_sessions(database: str, members: int) -> list[str]:
    """Create the database with that number of users. Each of them is logged in."""
    program = f"lessons.bench.servers.{PROGRAM}"
    creating = processes.start_program(program, database, str(members))
    with creating.stdout as output:
        sessions = output.read().split()
    if code := creating.wait():
        raise RuntimeError(f"{program} created no database: it ended with {code}")
    return sessions


def figures_of(cluster: ChatCluster) -> dict:
    """The counts of messages: sent, kept, delivered, lost, delivered twice or out of order."""
    rows, members = cluster.rows(), cluster.members
    ids = {room: [id for id, _ in messages] for room, messages in rows.items()}
    keys = [key for messages in rows.values() for _, key in messages]
    confirmed = {key for one in members for key in one.confirmed}
    gaps = sorted(gap for one in members for gap in one.gaps[1:])
    return {
        "sent": sum(len(one.sent) for one in members),
        "confirmed": len(confirmed),
        "kept": len(keys),
        "kept_twice": len(keys) - len(set(keys)),
        "confirmed_not_kept": len(confirmed - set(keys)),
        "delivered": sum(len(one.ids) for one in members),
        "delivered_twice": sum(len(one.ids) - len(set(one.ids)) for one in members),
        "out_of_order": sum(one.ids != sorted(one.ids) for one in members),
        "not_delivered": sum(len(set(ids.get(one.room, [])) - set(one.ids)) for one in members),
        "refused": sum(one.refused for one in members),
        "reconnects": sum(one.connections - 1 for one in members),
        "back_after_median_s": round(gaps[len(gaps) // 2], 2) if gaps else 0,
        "back_after_longest_s": round(gaps[-1], 2) if gaps else 0,
        **cluster.complaints(),
    }


def faults(found: dict) -> list[str]:
    """The names of the figures that are not what they must be."""
    return [name for name in LOSSES if found[name]] + [
        name for name in DURATIONS if found[name] is None
    ]


def measure_soak(consumer: str, connections: int, waves: int) -> list[dict]:
    """What the server holds: at first, while each wave is connected, and after it has gone.

    Half of a wave leaves with a close frame. The other half is cut off without one.
    """
    with servers("soak_server", [consumer]) as [server]:
        return asyncio.run(_soak(server, connections, waves))


async def _soak(server: Server, connections: int, waves: int) -> list[dict]:
    # The first connection starts the thread of the sync handlers, which stays for good.
    (await connect(server.port, "/")).close()
    await asyncio.sleep(1)
    at_first = await _held_by(server)
    rows = [{"when": "at first", **at_first}]
    for number in range(1, waves + 1):
        wave = await connect_many(connections, server.port, "/")
        await asyncio.sleep(SOAK_STAY)
        rows.append({"when": f"wave {number} connected", **await _held_by(server)})
        for index, client in enumerate(wave):
            client.transport.abort() if index % 2 else client.close()
        started = time.monotonic()
        held = await _held_by(server)
        while _has_grown(held, at_first) and time.monotonic() - started < SOAK_TIMEOUT:
            await asyncio.sleep(0.2)
            held = await _held_by(server)
        seconds = round(time.monotonic() - started, 1)
        rows.append({"when": f"wave {number} gone, {seconds} s", **held})
    return rows


async def _held_by(server: Server) -> dict:
    def ask():
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=SOAK_TIMEOUT) as it:
            return json.load(it)

    return await asyncio.to_thread(ask)


def _has_grown(held: dict, at_first: dict) -> bool:
    return any(held[what] > at_first[what] * factor for what, factor in SOAK_GROWTH.items())


def is_clean(rows: list[dict]) -> bool:
    """Whether no wave left a task, a thread, a group or used memory behind."""
    return not any(_has_grown(row, rows[0]) for row in rows if "gone" in row["when"])
