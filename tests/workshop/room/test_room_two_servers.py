"""Two rooms with one database and one Redis: what a crash loses, and what it does not."""

import asyncio
import json
import signal
import sqlite3
import sys
import urllib.request
from contextlib import closing
from http.cookiejar import CookieJar
from importlib.util import find_spec

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from lessons.workshop.setup.redis_server import RedisServer
from tests.support.programs.postgres import Postgres
from tests.support.programs.room_program import RunningRoom, room_clone
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.required_programs import skip_or_fail
from tests.support.room import report

MACHINES, REPORTS = 6, 40
PATIENCE = 120  # seconds; only a test that fails waits this long


class SQLite:
    """The room's own file, which it uses if no database is named."""

    def __init__(self):
        self.environment = {}

    def reports(self, clone) -> list[tuple[str, int]]:
        """Device and sequence of each stored report."""
        with closing(sqlite3.connect(clone.folder / ".workshop" / "room.sqlite3")) as database:
            return database.execute("SELECT device, sequence FROM room_report").fetchall()


class PostgreSQL:
    """The database of DATABASE_URL."""

    def __init__(self, server: Postgres):
        self.server = server
        self.environment = {"DATABASE_URL": server.url}

    def reports(self, clone) -> list[tuple[str, int]]:
        """Device and sequence of each stored report."""
        assert not (clone.folder / ".workshop" / "room.sqlite3").exists()
        with self.server.session() as session:
            rows = session("SELECT device || '|' || sequence FROM room_report")
        return [(device, int(sequence)) for device, sequence in (row.split("|") for row in rows)]


@pytest.fixture(params=[SQLite, PostgreSQL])
def database(request):
    if request.param is SQLite:
        yield SQLite()
        return
    if sys.platform == "win32":
        pytest.skip("Windows has no Unix sockets.")
    if find_spec("psycopg") is None:
        skip_or_fail("There is no psycopg: pip install --require-hashes -r .ci/postgres.txt")
    with Postgres() as server:
        yield PostgreSQL(server)


@pytest.fixture
def clone():
    with room_clone() as project:
        yield project


class Machine:
    """A student's machine: it sends again what was not acknowledged, as the workshop does."""

    def __init__(self, number: int, token: str):
        self.device, self.token = f"machine {number}", token
        self.waiting = {}  # reports that are not acknowledged, by their sequence
        self.acknowledged = []
        self.codes = []  # of the connections that the room has closed

    async def run(self, urls: list[str], crashed: asyncio.Event) -> None:
        """Connect to one room after the other until all reports are acknowledged."""
        writing = asyncio.create_task(self.write(crashed))
        while self.waiting or not writing.done():
            url = urls[len(self.codes) % len(urls)].replace("http", "ws") + "/room/student/"
            headers = {"Authorization": f"Bearer {self.token}"}
            try:
                async with connect(url, additional_headers=headers) as socket:
                    await self.talk(socket)
            except (OSError, WebSocketException, TimeoutError) as error:
                self.codes.append(getattr(getattr(error, "rcvd", None), "code", None))
                await asyncio.sleep(0.1)

    async def write(self, crashed: asyncio.Event) -> None:
        """Report all the time; the second half begins when Redis crashes."""
        for sequence in range(1, REPORTS + 1):
            if sequence > REPORTS // 2:
                await crashed.wait()
            state = "green" if sequence == REPORTS else "red"
            self.waiting[sequence] = report(sequence, state=state, was_green=state == "green")
            await asyncio.sleep(0.02)

    async def talk(self, socket) -> None:
        await socket.send(json.dumps({"type": "hello", "device": self.device, "after": 0}))
        welcome = json.loads(await socket.recv())
        self.drop(range(1, welcome["acknowledged"] + 1))
        sent = set()
        while len(self.acknowledged) < REPORTS:
            for sequence in sorted(set(self.waiting) - sent):
                sent.add(sequence)
                frame = {"type": "report", **self.waiting[sequence]}
                await socket.send(json.dumps(frame))
            try:
                frame = json.loads(await asyncio.wait_for(socket.recv(), 0.05))
            except TimeoutError:
                continue
            if frame["type"] == "acknowledged":
                self.drop([frame["sequence"]])

    def drop(self, sequences) -> None:
        for sequence in sequences:
            if self.waiting.pop(sequence, None):
                self.acknowledged.append(sequence)


async def until(machines, count: int) -> None:
    """Wait until the rooms have acknowledged so many reports."""
    while sum(len(one.acknowledged) for one in machines) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def crash(machines, killed, redis, crashed: asyncio.Event) -> None:
    """Kill a room, then Redis, while the machines send; start Redis again."""
    total = MACHINES * REPORTS
    await until(machines, total // 4)
    killed.process.send_signal(signal.SIGKILL)
    await until(machines, total // 2)
    crashed.set()
    redis.stop(signal.SIGKILL)
    while not all(one.codes for one in machines):  # noqa: ASYNC110 - each notices the crash
        await asyncio.sleep(0.01)
    redis.start()


def log_in(room, password: str) -> str:
    """The cookie of an instructor's browser."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{room.url}/room/log-in/"
    browser.open(page, timeout=TEST_TIMEOUT).close()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": "instructor", "password": password, "csrfmiddlewaretoken": token}
    body = urllib.parse.urlencode(form).encode()
    browser.open(page, body, timeout=TEST_TIMEOUT).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


async def board_of(room, cookie: str):
    """An open board of the first class."""
    url = room.url.replace("http", "ws") + "/ws/room/board/1/"
    headers = {"Cookie": cookie}
    options = {"origin": room.url, "open_timeout": TEST_TIMEOUT}
    return await connect(url, additional_headers=headers, **options)


async def read_until(socket, type: str) -> dict:
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), TEST_TIMEOUT))
        if frame["type"] == type:
            return frame


def test_two_crashes_lose_no_report_and_store_none_twice(clone, database, redis_binaries):
    with (
        RedisServer(redis_binaries[0]) as redis,
        RunningRoom(clone, REDIS_URL=redis.url, **database.environment) as first,
        RunningRoom(clone, REDIS_URL=redis.url, **database.environment) as second,
    ):
        names = [f"Student {number}" for number in range(MACHINES)]
        joined = [
            json.loads(first.ask("/room/join/", {"code": first.code, "name": name})[1])
            for name in names
        ]
        machines = [Machine(number, one["token"]) for number, one in enumerate(joined)]

        async def play():
            crashed = asyncio.Event()
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                group.create_task(crash(machines, first, redis, crashed))
                for number, machine in enumerate(machines):
                    # Half of the machines begin at the room that will be killed.
                    urls = [first.url, second.url]
                    group.create_task(machine.run(urls if number % 2 else urls[::-1], crashed))

        asyncio.run(play())
        password = next(line for line in second.lines if "password" in line).split()[-1][:-1]
        cookie = log_in(second, password)

        async def look():
            async with await board_of(second, cookie) as board:
                rows = (await read_until(board, "snapshot"))["students"]
                machine = machines[0]
                url = second.url.replace("http", "ws") + "/room/student/"
                headers = {"Authorization": f"Bearer {machine.token}"}
                async with connect(url, additional_headers=headers) as socket:
                    hello = {"type": "hello", "device": machine.device, "after": 0}
                    await socket.send(json.dumps(hello))
                    welcome = await read_until(socket, "welcome")
                    message = {"type": "message", "student": None, "text": "Well done"}
                    await board.send(json.dumps(message))
                    announced = await read_until(socket, "announcement")
                return rows, welcome["acknowledged"], announced["data"]

        rows, acknowledged, announced = asyncio.run(look())
        assert "Traceback" not in "\n".join(second.lines)

    assert all(machine.codes for machine in machines)  # each was disconnected at least once
    stored = database.reports(clone)
    sent = [(one.device, number) for one in machines for number in range(1, REPORTS + 1)]
    assert sorted(stored) == sorted(sent)
    assert [sorted(one.acknowledged) for one in machines] == [[*range(1, REPORTS + 1)]] * MACHINES
    assert [(row["name"], row["standings"]) for row in rows] == [
        (name, {"stop": "green"}) for name in names
    ]
    assert (acknowledged, announced) == (REPORTS, {"text": "Well done"})
