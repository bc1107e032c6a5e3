"""`bench room`: a class reports to two servers of the room, of which one is killed; Redis restarts.

Each student's machine is a client of this process, and sends a verdict every five seconds. Its
number is part of the verdict's headline, so the page of the board shows which one has arrived: the
delay is the time from the send to the next frame that the browser draws. Real processes: two
Daphnes that share an SQLite file, a Redis server, and Chromium.
"""

import asyncio
import json
import math
import random
import secrets
import signal
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from statistics import median
from subprocess import Popen
from threading import Thread

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from lessons.bench.browser import Browser
from lessons.bench.chat_cluster import until
from lessons.bench.processes import ProjectCopy, project_copy, raise_file_limit
from lessons.bench.report import Column, Options, Report, text_table
from lessons.core.redis_server import RedisServer
from lessons.room.student.room_client import FIRST_PAUSE, MAX_PAUSE

STUDENTS, QUICK_STUDENTS = 300, 20
SECONDS, QUICK_SECONDS = 180.0, 12.0  # in which the students send verdicts
INTERVAL = 5.0  # seconds between two verdicts of a student
SERVER_GONE, REDIS_GONE = 5.0, 3.0  # seconds until each starts again
SAMPLE_INTERVAL = 5.0  # seconds between two looks at the servers' memory
PHASE_TIMEOUT = 120  # seconds
IN_FLIGHT = 20  # reports that a student sends again before it waits for an acknowledgement
LESSON = "stop"

PREPARE = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest
from lessons.room import codes
from lessons.room.models import Class
request = HttpRequest()
request.session = import_module(settings.SESSION_ENGINE).SessionStore()
user = User.objects.create(username="bench", is_staff=True)
login(request, user, settings.AUTHENTICATION_BACKENDS[0])
request.session.save()
one = Class.objects.create(name="bench", code=codes.new_code())
print(json.dumps({"id": one.pk, "code": one.code, "session": request.session.session_key}))
"""
STORED = """
import json
from lessons.room.models import Report
print(json.dumps(list(Report.objects.values_list("device", "sequence"))))
"""
# Keeps when each text of a headline was drawn for the first time, in ms since 1970.
OBSERVE = r"""
() => {
  window.drawn = {};
  const look = node => {
    for (const [text] of (node.textContent ?? "").matchAll(/verdict \d+ of student \d+(?=\.)/g)) {
      if (text in drawn) continue;
      drawn[text] = 0;
      requestAnimationFrame(() => drawn[text] = Date.now());
    }
  };
  const observer = new MutationObserver(records => {
    for (const record of records) {
      if (record.type === "characterData") look(record.target);
      record.addedNodes.forEach(look);
    }
  });
  observer.observe(document.body, {subtree: true, childList: true, characterData: true});
}
"""

COLUMNS = [Column("what", "<46"), Column("value", ">10", digits="")]


@dataclass
class Student:
    """A student's machine: it sends verdicts, and sends again what was not acknowledged."""

    number: int
    room: "Room"
    token: str = ""
    device: str = field(default_factory=lambda: secrets.token_hex(8))
    sent_at: list[float] = field(default_factory=list)  # ms since 1970, of each verdict
    acknowledged: int = 0
    connections: int = 0
    errors: Counter = field(default_factory=Counter)
    _failures: int = 0  # attempts since the last welcome
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Stay connected to one of the servers until cancelled."""
        while True:
            with suppress(OSError, TimeoutError, WebSocketException):
                async with self._connect() as socket:
                    await self._converse(socket)
            pause = min(MAX_PAUSE, FIRST_PAUSE * 2**self._failures)
            await asyncio.sleep(random.uniform(0, pause))
            self._failures += 1

    def report(self) -> None:
        """Take one more verdict, which the connection sends."""
        self.sent_at.append(1000 * time.time())
        self._news.set()

    @property
    def is_done(self) -> bool:
        return self.acknowledged == len(self.sent_at)

    def _connect(self):
        # A proxy in front of the servers would also try the other one.
        port = self.room.ports[(self.number + self._failures) % 2]
        return connect(
            f"ws://127.0.0.1:{port}/room/student/",
            additional_headers={"Authorization": f"Bearer {self.token}"},
            proxy=None,
            compression=None,
            open_timeout=20,
            ping_interval=None,
        )

    async def _converse(self, socket) -> None:
        await socket.send(json.dumps({"type": "hello", "device": self.device, "after": 0}))
        welcome = json.loads(await socket.recv())
        self.acknowledged = max(self.acknowledged, welcome["acknowledged"])
        self.connections += 1
        self._failures = 0
        sending = asyncio.create_task(self._send(socket))
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "acknowledged":
                    self.acknowledged = max(self.acknowledged, frame["sequence"])
                    self._news.set()
                elif frame["type"] == "error":
                    self.errors[frame["text"]] += 1
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, socket) -> None:
        following = self.acknowledged + 1
        while True:
            last = min(len(self.sent_at), self.acknowledged + IN_FLIGHT)
            for sequence in range(following, last + 1):
                await socket.send(self._frame(sequence))
                following = sequence + 1
            self._news.clear()
            await self._news.wait()

    def _frame(self, sequence: int) -> str:
        message = f"verdict {sequence} of student {self.number}."
        finding = {"diagnosis": "never-stops", "message": message, "detail": "x" * 400}
        outcomes = [{"claim": f"claim {n}", "finding": None} for n in range(6)]
        verdict = {"outcomes": [{"claim": "one", "finding": finding}, *outcomes], "problem": None}
        values = {"lesson": LESSON, "state": "red", "was_green": False, "is_read": False}
        frame = {"type": "report", "sequence": sequence, **values, "hints": sequence % 4}
        return json.dumps({**frame, "verdict": verdict, "code": "# a line\n" * 60})


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Room:
    """Two servers of the mode room, their Redis, and the class's students."""

    def __init__(self, copy: ProjectCopy, redis: RedisServer, count: int):
        self.copy, self.redis = copy, redis
        self.ports = [_free_port() for _ in range(2)]
        self.servers: list[Popen] = [None, None]
        self.students = [Student(number, self) for number in range(1, count + 1)]
        self.samples: list[tuple[int, int]] = []  # memory and open files of server 2
        self.faults: list[tuple[float, float]] = []  # from when to when, in ms since 1970
        self.right_after: list[float] = []  # seconds until the board was right after each fault

    def prepare(self) -> None:
        self.copy.run("manage.py", "migrate")
        made = self.copy.run("manage.py", "shell", "-v", "0", "-c", PREPARE)
        self.school_class = json.loads(made.splitlines()[-1])

    def start_server(self, number: int) -> None:
        port = str(self.ports[number])
        # The same program that `manage.py room` serves with.
        arguments = ("-m", "daphne", "-b", "127.0.0.1", "-p", port, "lessons.room.asgi:application")
        self.servers[number] = server = self.copy.start(*arguments)
        # A full pipe would stop the server.
        Thread(target=server.stdout.read, daemon=True).start()

    def stop_server(self, number: int) -> None:
        self.servers[number].kill()
        self.servers[number].wait()
        self.servers[number].stdout.close()

    async def until_it_listens(self, number: int) -> None:
        async with asyncio.timeout(PHASE_TIMEOUT):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.ports[number])
                    writer.close()
                    return
                await asyncio.sleep(0.1)

    async def join(self) -> None:
        """All students join over HTTP, ten at a time."""
        limit = asyncio.Semaphore(10)

        async def join(student: Student) -> None:
            async with limit:
                student.token = await asyncio.to_thread(self._join, student.number)

        await asyncio.gather(*map(join, self.students))

    def _join(self, number: int) -> str:
        body = {"code": self.school_class["code"], "name": f"student {number}", "shares_code": True}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[number % 2]}/room/join/",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PHASE_TIMEOUT) as answer:
            return json.load(answer)["token"]

    async def report_for(self, seconds: float) -> None:
        """Each student sends a verdict in each interval, at a random moment of the first one."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds

        async def report(student: Student) -> None:
            at = loop.time() + random.random() * INTERVAL
            while at < end:
                await asyncio.sleep(at - loop.time())
                student.report()
                at += INTERVAL

        await asyncio.gather(*map(report, self.students))

    async def sample(self) -> None:
        process = psutil.Process(self.servers[1].pid)
        while True:
            self.samples.append((process.memory_info().rss, process.num_fds()))
            await asyncio.sleep(SAMPLE_INTERVAL)

    def stored(self) -> list[list]:
        """Device and sequence of each report in the database."""
        return json.loads(
            self.copy.run("manage.py", "shell", "-v", "0", "-c", STORED).splitlines()[-1]
        )


class Board:
    """The page of the board in Chromium."""

    def __init__(self, page, room: Room):
        self.page, self.room = page, room

    async def drawn(self) -> dict[int, dict[int, float]]:
        """When each verdict was drawn, in ms since 1970, by student and number."""
        found: dict[int, dict[int, float]] = {one.number: {} for one in self.room.students}
        for text, at in (await self.page.evaluate("drawn")).items():
            _, sequence, _, _, number = text.split()
            if at:
                found[int(number)][int(sequence)] = at
        return found

    async def until_right(self) -> float:
        """Seconds until it shows for each student the newest verdict of this moment, or a newer."""
        wanted = {one.number: len(one.sent_at) for one in self.room.students}
        started = time.monotonic()
        async with asyncio.timeout(PHASE_TIMEOUT):
            while True:
                drawn = await self.drawn()
                if all(max(drawn[who], default=0) >= last for who, last in wanted.items()):
                    return time.monotonic() - started
                await asyncio.sleep(0.2)


def run(options: Options) -> Report:
    count = options.connections or (QUICK_STUDENTS if options.quick else STUDENTS)
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    figures = measure(count, seconds)
    wrong = figures["lost"] or figures["twice"] or figures["errors"]
    fault = "Verdicts were lost, stored twice or refused." if wrong else ""
    return Report(figures, table_of(figures), fault=fault)


def measure(count: int, seconds: float) -> dict:
    """The figures. Raises RedisUnavailable, or MissingRequirement without Chromium."""
    raise_file_limit()
    with RedisServer() as redis, project_copy() as copy:
        copy.environment.update(DJANGO_MODE="room", REDIS_URL=redis.url)
        room = Room(copy, redis, count)
        room.prepare()
        try:
            return asyncio.run(_measure(room, seconds))
        finally:
            for number, server in enumerate(room.servers):
                if server is not None:
                    room.stop_server(number)


async def _measure(room: Room, seconds: float) -> dict:
    for number in (0, 1):
        room.start_server(number)
        await room.until_it_listens(number)
    await room.join()
    async with open_board(room) as board, running(room) as tasks:
        await until(lambda: all(one.connections for one in room.students), tasks)
        sampling = asyncio.create_task(room.sample())
        await asyncio.gather(room.report_for(seconds), _make_faults(room, board, seconds))
        sampling.cancel()
        await until(lambda: all(one.is_done for one in room.students), tasks)
        await board.until_right()
        drawn = await board.drawn()
    return figures_of(room, drawn, room.stored())


async def _make_faults(room: Room, board: Board, seconds: float) -> None:
    """Kill a server after a third of the time, and restart Redis after two thirds."""
    started = time.monotonic()
    await asyncio.sleep(seconds / 3)
    async with _fault(room, board):
        room.stop_server(0)
        await asyncio.sleep(SERVER_GONE)
        room.start_server(0)
        await room.until_it_listens(0)
    await asyncio.sleep(max(0, 2 / 3 * seconds - (time.monotonic() - started)))
    async with _fault(room, board):
        room.redis.stop(signal.SIGKILL)
        await asyncio.sleep(REDIS_GONE)
        room.redis.start()


@asynccontextmanager
async def _fault(room: Room, board: "Board") -> AsyncIterator[None]:
    begin = 1000 * time.time()
    yield
    room.right_after.append(await board.until_right())
    room.faults.append((begin, 1000 * time.time()))


@asynccontextmanager
async def open_board(room: Room) -> AsyncIterator[Board]:
    """The board on the second server, which is not killed."""
    async with Browser(room.ports[1]) as browser:
        context = await browser.chromium.new_context(viewport={"width": 1440, "height": 900})
        cookie = {"name": "sessionid", "value": room.school_class["session"], "url": browser.home}
        await context.add_cookies([cookie])
        page = await context.new_page()
        await page.goto(f"{browser.home}/room/board/{room.school_class['id']}/")
        await page.evaluate(OBSERVE)
        yield Board(page, room)


@asynccontextmanager
async def running(room: Room) -> AsyncIterator[list[asyncio.Task]]:
    tasks = [asyncio.create_task(one.run()) for one in room.students]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def figures_of(room: Room, drawn: dict, stored: list[list]) -> dict:
    """What was lost, and the delays of the verdicts that were sent outside of the faults."""
    delays = []
    for student in room.students:
        for sequence, sent in enumerate(student.sent_at, start=1):
            # The board may skip a verdict if the next one has arrived too.
            times = [at for number, at in drawn[student.number].items() if number >= sequence]
            if times and not any(begin - 1000 <= sent <= end for begin, end in room.faults):
                delays.append(min(times) - sent)
    kept = Counter(map(tuple, stored))
    sent = {(one.device, n) for one in room.students for n in range(1, len(one.sent_at) + 1)}
    memory, files = zip(*room.samples, strict=True)
    quarter = len(room.samples) // 4
    return {
        "students": len(room.students),
        "verdicts": len(sent),
        "drawn_median_ms": round(median(delays)) if delays else None,
        "drawn_p95_ms": round(percentile_95(delays)) if delays else None,
        "drawn_max_ms": round(max(delays)) if delays else None,
        "lost": len(sent - set(kept)),
        "twice": sum(count - 1 for count in kept.values()),
        "errors": sum(sum(one.errors.values()) for one in room.students),
        "reconnections": sum(one.connections - 1 for one in room.students),
        "right_after_server_s": round(room.right_after[0], 1),
        "right_after_redis_s": round(room.right_after[1], 1),
        "memory_mb": [round(memory[quarter] / 2**20, 1), round(memory[-1] / 2**20, 1)],
        "open_files": [files[quarter], files[-1]],
    }


def percentile_95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def table_of(figures: dict) -> str:
    """The figures as lines of text."""
    names = {
        "students": "students, on two servers",
        "verdicts": "verdicts",
        "drawn_median_ms": "ms from verdict to pixel: median",
        "drawn_p95_ms": "95th percentile",
        "drawn_max_ms": "maximum",
        "lost": "verdicts lost",
        "twice": "verdicts stored twice",
        "errors": "verdicts refused",
        "reconnections": "connections made again",
        "right_after_server_s": "s until right, after the return of a server",
        "right_after_redis_s": "s until right, after the return of Redis",
        "memory_mb": "MB of a server: after a quarter, at the end",
        "open_files": "open files of a server: the same",
    }
    rows = []
    for key, what in names.items():
        value = figures[key]
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        rows.append({"what": what, "value": shown})
    return text_table(COLUMNS, rows)
