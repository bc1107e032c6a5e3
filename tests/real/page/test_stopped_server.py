"""A server ends, even if it is stopped while it serves a request."""

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.support.programs.project_commands import RunningRoom, Workshop
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT

# Two requests. The loop stops as soon as one of them is cancelled. Then the other one still waits.
VIEWS = """

import asyncio, os, signal, threading, time

BEGUN = threading.Event()


async def wait(request):
    BEGUN.set()
    await asyncio.Event().wait()


def stop(request):
    BEGUN.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


urlpatterns += [path("wait/", wait), path("stop/", stop)]
"""


@pytest.fixture(scope="module")
def clone():
    with project_copy() as project:
        for name in ("urls.py", "workshop/room/urls.py"):
            with open(project.folder / "lessons" / name, "a", encoding="utf-8") as file:
                file.write(VIEWS)
        yield project


def stop_during_two_requests(address):
    with ThreadPoolExecutor() as pool:
        list(pool.map(ask, [f"{address}/wait/", f"{address}/stop/"]))


def ask(url):
    with suppress(OSError):  # the server closes the connection without an answer
        urllib.request.urlopen(url, timeout=TEST_TIMEOUT)


def test_a_room_ends(clone):
    with RunningRoom(clone) as room:
        stop_during_two_requests(room.url)
        assert room.process.wait(TEST_TIMEOUT) == 0


def test_a_workshop_ends(clone):
    with Workshop(clone, "--no-reload") as workshop:
        stop_during_two_requests(workshop.address)
        assert workshop.process.wait(TEST_TIMEOUT) == 0
