"""A class in a real room: the true standings are on the board, even if the room was killed."""

import asyncio
import json
import os
import re
import signal
import stat
import urllib.parse
import urllib.request
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from http.cookiejar import CookieJar

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.member import membership
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.student import progress as progress_file
from lessons.workshop.student.progress import Progress
from tests.support.programs.project_commands import RunningRoom
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT

STUDENTS = 60
DONE_BEFORE = 8  # lessons that each student has a verdict on
FINDING = {"diagnosis": "no-stop-consumer", "message": "It goes on.", "detail": "≠ x" * 300}
OUTCOME = {"claim": "It ends when the client leaves.", "state": "red", "finding": FINDING}


@pytest.fixture
def clone():
    with project_copy() as project:
        yield project


@pytest.fixture(autouse=True)
def many_workshops_in_one_process(monkeypatch):
    """A membership is in memory, and no file has progress: the workshops would share both."""

    async def follow():
        await asyncio.Event().wait()
        yield {}

    monkeypatch.setattr(membership, "change", replace)
    monkeypatch.setattr(progress_file, "follow", follow)


def progress(lesson, standing):
    """Of a student whose exercise is green, or who has read the solution."""
    verdict = {"outcomes": [OUTCOME] * 10, "problem": None}
    state = "green" if standing == "green" else "new"
    known = Progress(state, verdict=verdict, is_read=standing == "read")
    return {lesson.key: known}


def join(room, name) -> Membership:
    status, answer = room.ask("/room/join/", {"code": room.code, "name": name})
    assert status == 200, answer
    return Membership(room.url, json.loads(answer)["token"], name, "Monday")


def session_of_instructor(room) -> str:
    """The cookies of a browser in which the instructor has logged in."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"{room.url}/room/log-in/"
    page = browser.open(address, timeout=TEST_TIMEOUT).read().decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
    form = {"username": "instructor", "password": room.password, "csrfmiddlewaretoken": token}
    browser.open(address, urllib.parse.urlencode(form).encode(), timeout=TEST_TIMEOUT).close()
    return "; ".join(f"{one.name}={one.value}" for one in jar)


class Board:
    """The board of the class, with all standings that it shows."""

    def __init__(self, room, cookies):
        self.url = f"{room.url.replace('http', 'ws')}/ws/room/board/1/"
        self.headers = {"Cookie": cookies, "Origin": room.url}
        self.changed = asyncio.Condition()
        self.standings, self.connected = {}, set()

    async def follow(self):
        while True:
            with suppress(OSError, WebSocketException):
                async with connect(self.url, additional_headers=self.headers) as socket:
                    async for text in socket:
                        await self.take(json.loads(text))
            await asyncio.sleep(0.1)

    async def take(self, state):
        self.standings = {
            (row["name"], slug): one["state"]
            for row in state["students"]
            for slug, one in row["standings"].items()
        }
        self.connected = {row["name"] for row in state["students"] if row["connected"]}
        async with self.changed:
            self.changed.notify_all()

    async def until(self, condition):
        async with asyncio.timeout(TEST_TIMEOUT), self.changed:
            await self.changed.wait_for(condition)


@asynccontextmanager
async def classroom(room):
    """The workshops of a class, and a board that shows all their standings."""
    members = [join(room, f"Student {number}") for number in range(STUDENTS)]
    workshops = [RoomClient(one) for one in members]
    board = Board(room, session_of_instructor(room))
    tasks = [asyncio.create_task(one.run()) for one in workshops]
    tasks.append(asyncio.create_task(board.follow()))
    try:
        yield workshops, board
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_board_shows_each_true_standing_also_after_the_room_was_killed(clone):
    room = RunningRoom(clone, "--name", "Monday")
    with room:
        port = room.url.rpartition(":")[2]
        async with classroom(room) as (workshops, board):
            truth = {}

            async def judge(workshop, lesson, state):
                truth[workshop.membership.name, lesson.slug] = state
                await workshop.report(progress(lesson, state))

            for workshop in workshops:
                for lesson in lessons()[:DONE_BEFORE]:
                    await judge(workshop, lesson, "green")
            await board.until(lambda: board.standings == truth)

            room.process.send_signal(signal.SIGKILL)
            room.__exit__(None, None, None)
            for number, workshop in enumerate(workshops):  # while the room is unreachable
                await judge(workshop, find("origin"), ("green", "read")[number % 2])
            again = RunningRoom(clone, "--port", port)
            await asyncio.to_thread(again.__enter__)
            everyone = {one.membership.name for one in workshops}
            await board.until(lambda: (board.standings, board.connected) == (truth, everyone))
            await asyncio.to_thread(again.__exit__)


def test_a_fresh_clone_serves_a_class_and_ends_with_ctrl_c(clone):
    with RunningRoom(clone, "--name", "Monday") as started:
        assert re.fullmatch(r"[0-9a-f]{12}", started.password)
        status, page = started.ask("/room/")
        assert (status, b'name="password"' in page) == (200, True)  # after the redirect
        files = [*(clone.folder / ".workshop").glob("room*")]
        assert {file.name for file in files} >= {"room.sqlite3", "room_key"}
        if os.name != "nt":  # only this user may read names, code and the key
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(TEST_TIMEOUT) == 0
        started.join_reader()
        assert "Traceback" not in "\n".join(started.lines)
