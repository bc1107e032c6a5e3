"""Where `bench chat` takes place: two servers, a Redis, a database, and members in rooms."""

import asyncio
import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from lessons.bench import processes
from lessons.bench.chat_member import Member
from lessons.bench.processes import Server, allow_many_files
from lessons.core.redis_server import RedisServer

PROGRAM = "lessons.bench.chat_served"
AT_THE_DOOR = 10  # handshakes at once
MESSAGES = 12  # a second, of all members together
IN_THE_LOG = {
    "database_locked": "database is locked",
    "killed_by_daphne": "took too long to shut down and was killed",
}


@dataclass
class House:
    """Two servers on one Redis and one database, and who is in their rooms."""

    database: str
    redis: RedisServer
    servers: list[Server] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    talks = False
    door: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_THE_DOOR))

    @property
    def pause(self) -> float:
        """Seconds between two messages of one member, on average."""
        return len(self.members) / MESSAGES

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]

    def start(self) -> None:
        server = Server(self.database, PROGRAM, ["serve"])
        server.wait_until_it_listens()
        self.servers.append(server)

    def kill(self) -> None:
        self.servers.pop(0).end()

    def rows(self) -> dict[str, list[tuple[int, str]]]:
        """Id and key of each message in the database, by room."""
        rows = {}
        query = "SELECT r.name, m.id, m.key FROM db_demo_message m JOIN db_demo_room r "
        with closing(sqlite3.connect(self.database)) as connection:
            for room, id, key in connection.execute(query + "ON r.id = m.room_id ORDER BY m.id"):
                rows.setdefault(room, []).append((id, key))
        return rows

    def in_the_log(self) -> dict[str, int]:
        """How often the servers, both in one file, have complained of what."""
        text = Path(f"{self.database}.log").read_text("utf-8", "replace")
        return {name: text.count(words) for name, words in IN_THE_LOG.items()}

    def memory_mb(self) -> list[float]:
        return [round(server.seen.memory_info().rss / 2**20, 1) for server in self.servers]


def _sessions(database: str, members: int) -> list[str]:
    """Make the database with so many users, each of whom is logged in."""
    making = processes.begin(PROGRAM, database, str(members))
    with making.stdout as told:
        sessions = told.read().split()
    if code := making.wait():
        raise RuntimeError(f"{PROGRAM} has made no database: it ended with {code}")
    return sessions


@contextmanager
def house(rooms: int, members: int):
    allow_many_files()
    with RedisServer() as redis, tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "chat.sqlite3")
        it = House(database, redis)
        for number, session in enumerate(_sessions(database, members)):
            it.members.append(Member(it, f"room{number % rooms}", session))
        with mock.patch.dict(os.environ, REDIS_URL=redis.url):
            try:
                it.start()
                it.start()
                yield it
            finally:
                for server in it.servers:
                    server.end()
