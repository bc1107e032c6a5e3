"""A class in a real room: it has the true standings, even if it was killed, and requires TLS."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import stat
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from http.client import HTTPConnection

import pytest

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.member import membership
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.room_client import RoomClient
from lessons.workshop.student import progress as progress_file
from lessons.workshop.student.progress import Progress
from tests.support.programs.nginx import free_port
from tests.support.programs.project_commands import RunningRoom
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until

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


STANDINGS = """
SELECT name, standing.lesson, state
FROM room_standing AS standing JOIN room_student AS student ON student.id = student_id"""


def standings(clone):
    """The state of each lesson of each student, as the room has stored it."""
    with closing(sqlite3.connect(clone.folder / ".workshop" / "room.sqlite3")) as database:
        return {(name, lesson): state for name, lesson, state in database.execute(STANDINGS)}


@asynccontextmanager
async def connected_workshops(room):
    """The workshops of a class of so many students."""
    workshops = [RoomClient(join(room, f"Student {number}")) for number in range(STUDENTS)]
    tasks = [asyncio.create_task(one.run()) for one in workshops]
    try:
        yield workshops
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_room_has_each_true_standing_also_after_it_was_killed(clone):
    room = RunningRoom(clone, "--name", "Monday")
    with room:
        port = room.url.rpartition(":")[2]
        async with connected_workshops(room) as workshops:
            truth = {}

            async def wait_for_truth():
                await asyncio.to_thread(wait_until, lambda: standings(clone) == truth)

            async def judge(workshop, lesson, state):
                truth[workshop.membership.name, lesson.slug] = state
                await workshop.report(progress(lesson, state))

            for workshop in workshops:
                for lesson in lessons()[:DONE_BEFORE]:
                    await judge(workshop, lesson, "green")
            await wait_for_truth()

            room.process.send_signal(signal.SIGKILL)
            room.__exit__(None, None, None)
            for number, workshop in enumerate(workshops):  # while the room is unreachable
                await judge(workshop, find("origin"), ("green", "read")[number % 2])
            again = RunningRoom(clone, "--port", port)
            await asyncio.to_thread(again.__enter__)
            await wait_for_truth()
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


def status_of_join(port, scheme):
    """The status of the answer to a wrong code, through a proxy that ends TLS."""
    headers = {"Host": "room.test", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}
    with closing(HTTPConnection("127.0.0.1", port, timeout=TEST_TIMEOUT)) as connection:
        body = json.dumps({"code": "AAAA-AAAA", "name": "Ann"})
        connection.request("POST", "/room/join/", body, headers)
        return connection.getresponse().status


def test_behind_a_proxy_it_requires_tls_of_the_students(clone):
    port = free_port()
    clone.environment["DJANGO_HTTPS"] = "proxy"
    with RunningRoom(clone, "--port", str(port), "--host", "room.test"):
        assert (status_of_join(port, "https"), status_of_join(port, "http")) == (400, 301)
