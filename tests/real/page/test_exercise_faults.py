"""A real workshop names what is wrong with an exercise that blocks, floods, dies or forks.

Its other pages have their answers meanwhile. No exercise survives the workshop.
"""

import json
import os
import re
import shutil
import threading
import time
from urllib.request import Request, urlopen

import psutil
import pytest
from websockets.sync.client import connect

from tests.support.courses import ACCEPT
from tests.support.programs.processes import run
from tests.support.programs.project_commands import Workshop
from tests.support.programs.running_program import TEST_TIMEOUT

# Seconds that a round trip may be delayed. On an idle machine it is below 0.1 s. A busy
# machine delays every process.
MAX_ROUND_TRIP = 1.0
ROUND_TRIP_INTERVAL = 0.005

LAMP = f"""\
import os, sys, time
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Lamp(AsyncConsumer):
    async def websocket_connect(self, event):
        await {ACCEPT}

    async def websocket_receive(self, event):
        LINE

    async def websocket_disconnect(self, event):
        raise StopConsumer
"""

FAULTS = {  # the line, the diagnosis, and the line number in it
    "blocks": ("while True: pass", "blocked-loop", 11),
    "floods": (
        'while True: await self.send({"type": "websocket.send", "text": "x"})',
        "endless-sending",
        11,
    ),
    "exits at once": ("os._exit(3)", "process-died", 0),
    "exits": ("sys.exit(3)", "calls-exit", 11),
    "crashes": ("os.kill(os.getpid(), 11)", "process-died", 0),
    "closes its files": ("os.closerange(3, 200); time.sleep(60)", "process-died", 0),
    "eats memory": ("x = [bytes(10_000_000) for _ in range(10_000)]", "exception", 11),
    "sends a giant frame": (
        'await self.send({"type": "websocket.send", "text": "x" * 50_000_000})',
        *("exception", 11),
    ),
}


class Page:
    """A page of the lamp's lesson, in the workshop at `address`."""

    def __init__(self, address, cookie=""):
        request = Request(f"{address}/lessons/01-lamp/", headers={"Cookie": cookie})
        with urlopen(request, timeout=TEST_TIMEOUT) as response:
            text = response.read().decode()
            set_cookies = response.headers.get_all("Set-Cookie", [])
        self.cookie = cookie or "; ".join(one.partition(";")[0] for one in set_cookies)
        self.host = address.removeprefix("http://")
        self.feed_path = re.search(r'data-socket="(/ws/feed/.+?/)', text)[1]
        self.watched = self.feed_path.replace("/ws/feed/", "/watched/").rstrip("/")

    def feed(self):
        return self._socket(self.feed_path)

    def connect(self, path, target=""):
        lesson = f"&lesson=01-lamp&target={target}" if target else ""
        return self._socket(f"{self.watched}/client=1{lesson}{path}")

    def _socket(self, path):
        return connect(
            f"ws://{self.host}{path}",
            additional_headers={"Cookie": self.cookie},
            origin=f"http://{self.host}",
            open_timeout=TEST_TIMEOUT,
            max_size=None,
        )


class RoundTrips(threading.Thread):
    """Sends frames to the worked example and measures how long each answer takes."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.longest, self.count = client, 0.0, 0
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(ROUND_TRIP_INTERVAL):
            begun = time.monotonic()
            self.client.send("hello")
            self.client.recv(timeout=TEST_TIMEOUT)
            self.longest = max(self.longest, time.monotonic() - begun)
            self.count += 1


class Server(Workshop):
    """The workshop's server without its judge, which would run the exercise too."""

    def __init__(self, clone):
        super().__init__(clone)
        self.command = ["runserver", "127.0.0.1:0", "--noreload"]


@pytest.fixture(scope="module")
def clone(compiled, tmp_path_factory):
    """A copy of the project whose first exercise is an AsyncConsumer, with a database."""
    clone = tmp_path_factory.mktemp("workshop") / "project"
    shutil.copytree(compiled, clone)
    (clone / "work").mkdir(exist_ok=True)
    lesson = clone / "lessons" / "01_lamp" / "lesson.md"
    lesson.write_text(lesson.read_text().replace("SyncConsumer", "AsyncConsumer"))
    assert run(["manage.py", "migrate", "--verbosity", "0"], cwd=clone).returncode == 0
    return clone


@pytest.fixture(scope="module")
def server(clone):
    with Server(clone) as running:
        yield running, running.address


def serve_lamp(clone, line):
    """Save a lamp that runs this line for each frame."""
    (clone / "work" / "01_lamp.py").write_text(LAMP.replace("LINE", line))


def finding_of(feed):
    """The next finding that a page receives about its exercise."""
    while True:
        played = json.loads(feed.recv(timeout=TEST_TIMEOUT)).get("played") or {}
        if finding := played.get("finding"):
            return finding["diagnosis"], finding["line"]


@pytest.mark.parametrize("line, diagnosis, at", FAULTS.values(), ids=FAULTS)
def test_names_the_fault_and_answers_other_pages_while_an_exercise(server, line, diagnosis, at):
    running, address = server
    serve_lamp(running.folder, line)
    own = Page(address)
    other = Page(address, own.cookie)
    with (
        own.feed() as feed,
        other.connect("/ws/sync/frames/") as echo,
        own.connect("/ws/lamp/", "exercise") as bad,
    ):
        trips = RoundTrips(echo)
        trips.start()
        bad.send("on")
        found = finding_of(feed)
        trips.is_over.set()
        trips.join(TEST_TIMEOUT)
    assert found == (diagnosis, at)
    assert trips.longest < MAX_ROUND_TRIP


def test_an_exercise_that_blocks_ends_with_a_workshop_that_is_killed(clone):
    answer = 'await self.send({"type": "websocket.send", "text": "on"})'
    serve_lamp(clone, f"{answer}\n        while True: pass")
    with Server(clone) as running:
        page = Page(running.address)
        with page.feed(), page.connect("/ws/lamp/", "exercise") as client:
            client.send("on")
            assert client.recv(timeout=TEST_TIMEOUT) == "on"
            started = psutil.Process(running.process.pid).children(recursive=True)
            assert any(is_serving(process) for process in started)
            running.process.kill()
            running.process.wait(TEST_TIMEOUT)
            assert psutil.wait_procs(started, TEST_TIMEOUT)[1] == []


def is_serving(process):
    """Whether the process serves the exercise: it is in its own session, and has no children."""
    return os.getsid(process.pid) == process.pid and not process.children()
