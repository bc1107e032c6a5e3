"""A chat for benchmarks: one or two servers on one database and one Redis, and many members."""

import asyncio
import json
import os
import random
import sqlite3
import tempfile
import time
import uuid
from collections import Counter
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from lessons.bench import processes
from lessons.bench.processes import Server, raise_file_limit
from lessons.core.redis_server import RedisServer

PROGRAM = "chat_server"
MESSAGES_PER_SECOND = 12  # of all members together
FIRST_RETRY = 1.0  # seconds, at most, before the first new attempt; the limit doubles each time
MAX_RETRY = 30.0
HANDSHAKE_TIMEOUT = 60  # seconds; Daphne gives up before
PHASE_TIMEOUT = 600  # seconds until all members are connected, and until all have every message
COMPLAINTS = {  # texts of Daphne and SQLite in the servers' log
    "database_locked": "database is locked",
    "killed_by_daphne": "took too long to shut down and was killed",
}
# Each of these figures must be 0.
LOSSES = ("kept_twice", "confirmed_not_kept", "delivered_twice", "out_of_order", "not_delivered")
# Each of these must be a number. None means that it took longer than PHASE_TIMEOUT.
DURATIONS = ("all_in_after_s", "caught_up_after_s")


def retry_delay(failures: int, first: float = FIRST_RETRY) -> float:
    """Seconds until the next attempt to connect, after that number of attempts that failed.

    Exponential back-off with full jitter: any time up to the limit is as likely as any other, so
    the members that lost a server do not return at the same moment.
    """
    return random.random() * min(MAX_RETRY, first * 2**failures)


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
        self.server: Server | None = None  # of the newest connection
        self.failures = 0  # attempts since the member was ready for the last time
        self.lost_handshakes = 0  # the server answered nothing, or an error
        self.is_ready = False  # whether it is connected and has received its history
        self.present: dict = {}  # who is in the room, as in the server's last frame
        self.gaps: list[float] = []  # seconds until it was ready again
        self.pending: str | None = None  # key of the message that is not confirmed yet
        self._lost_at = time.monotonic()
        self._confirmation = asyncio.Event()
        self._socket = None

    @property
    def last_id(self) -> int:
        return max(self.ids, default=0)

    async def run(self) -> None:
        """Stay connected to one of the servers until cancelled. Talk while the cluster talks."""
        while True:
            try:
                async with await self._connect() as self._socket:
                    self.connections += 1
                    await self._converse(self._socket)
            except (InvalidHandshake, TimeoutError):
                self.lost_handshakes += 1
            except (OSError, WebSocketException):
                pass
            finally:
                if self.is_ready:
                    self._lost_at = time.monotonic()
                self.is_ready = False
                self.present = {}
            await asyncio.sleep(retry_delay(self.failures, self.cluster.first_retry))
            self.failures += 1

    def lose_connection(self) -> None:
        """Cut the connection without a close frame."""
        if self._socket is not None:
            self._socket.transport.abort()

    def _connect(self):
        self.server = random.choice(self.cluster.servers)
        host = f"127.0.0.1:{self.server.port}"
        return connect(
            f"ws://{host}/ws/chat/{self.room}/?seen={self.last_id}",
            origin=f"http://{host}",
            additional_headers={"Cookie": f"sessionid={self._session}"},
            proxy=None,
            compression=None,
            open_timeout=HANDSHAKE_TIMEOUT,
            ping_interval=None,
        )

    async def _converse(self, socket) -> None:
        talking = asyncio.create_task(self._talk(socket))
        try:
            async for text in socket:
                frame = json.loads(text)
                self._handle_frame(frame)
                if "confirm" in frame:
                    await socket.send(json.dumps({"confirmed": frame["confirm"]}))
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
        if "ready" in frame:
            self.is_ready, self.failures = True, 0
            self.gaps.append(time.monotonic() - self._lost_at)
        if "here" in frame:
            self.present = frame
        if (key := frame.get("saved")) is not None:
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
    first_retry = FIRST_RETRY

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

    @asynccontextmanager
    async def running_members(self):
        """All members connect, until the context ends. Yields the list of their tasks."""
        tasks = [asyncio.create_task(member.run()) for member in self.members]
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def presence_is_right(self) -> bool:
        """Whether the last list of each member has all members of its room."""
        sizes = Counter(one.room for one in self.members)
        return all(
            len(one.present.get("here", ())) + one.present.get("more", 0) == sizes[one.room]
            for one in self.members
        )

    def is_caught_up(self) -> bool:
        """Whether each member is ready and has received the last message of its room."""
        last = {room: messages[-1][0] for room, messages in self.rows().items()}
        return all(
            one.is_ready and one.pending is None and one.last_id >= last.get(one.room, 0)
            for one in self.members
        )

    def complaints(self) -> dict[str, int]:
        """How often the log of both servers has each of COMPLAINTS."""
        text = Path(f"{self.database}.log").read_text("utf-8", "replace")
        return {name: text.count(words) for name, words in COMPLAINTS.items()}


@contextmanager
def chat_cluster(rooms: int, members: int, servers: int = 2):
    raise_file_limit()
    with RedisServer() as redis, tempfile.TemporaryDirectory() as folder:
        cluster = ChatCluster(str(Path(folder) / "chat.sqlite3"), redis)
        for number, session in enumerate(_create_sessions(cluster.database, members)):
            cluster.members.append(Member(cluster, f"room{number % rooms}", session))
        with mock.patch.dict(os.environ, REDIS_URL=redis.url):
            try:
                for _ in range(servers):
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


async def until(condition, tasks: list[asyncio.Task]) -> float | None:
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
