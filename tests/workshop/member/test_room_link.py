"""The thread of a server that is connected to the room, in one process of a folder at a time."""

import asyncio
import logging
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

import pytest

from lessons.workshop.member import membership, room_client, room_link
from lessons.workshop.member.membership import Membership
from lessons.workshop.member.room_link import RoomLink, other_process_serves
from lessons.workshop.student import progress

TIMEOUT = 60  # seconds; only a test that fails waits this long
KNOWN = Membership("http://x", "C", "secret", "P", "Ann", "Monday", "laptop")
OTHER = Membership("http://x", "D", "secret", "P", "Ann", "Friday", "desktop")
# Holds the lock of the file until its input ends.
LOCK_HOLDER = """
import sys
from django.core.files import locks
lock = open(sys.argv[1], "a")
assert locks.lock(lock, locks.LOCK_EX | locks.LOCK_NB)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    monkeypatch.setattr(room_link, "WATCH_INTERVAL", 0.005)
    return tmp_path


class FakeClient(room_client.RoomClient):
    """A client that connects to nothing."""

    made: ClassVar[list] = []
    failure = None

    async def run(self):
        self.made.append(self.membership.school_class)
        if self.failure:
            raise self.failure
        self._set_link("connected")
        await asyncio.Event().wait()

    def dismiss(self, number):
        self.made.append(threading.current_thread().name)
        super().dismiss(number)


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """The classes of the clients that were made, in order."""
    monkeypatch.setattr(room_client, "RoomClient", FakeClient)
    monkeypatch.setattr(FakeClient, "made", [])
    return FakeClient.made


@pytest.fixture
def link():
    running = RoomLink()
    running.start()
    yield running
    running.stop()


async def until(link, condition):
    """Wait until the condition holds for what the link publishes to the pages."""
    changed = link.join()
    try:
        async with asyncio.timeout(TIMEOUT):
            while not condition(link.snapshot):
                await changed.wait()
                changed.clear()
    finally:
        link.leave(changed)


def shows(link="connected", name="Monday"):
    return lambda snapshot: snapshot and (snapshot["link"], snapshot["class"]) == (link, name)


@contextmanager
def other_process(state_dir):
    """Another process of this folder that is connected to the room."""
    command = [sys.executable, "-c", LOCK_HOLDER, str(state_dir / "room.link")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"locked\n"
        yield
        process.stdin.close()
        process.wait(TIMEOUT)


async def test_pages_hear_of_a_class_that_is_joined_left_and_joined_while_the_server_runs(link):
    assert link.snapshot is None
    for _ in range(2):
        membership.save(KNOWN)
        await until(link, shows())
        membership.forget()
        await until(link, lambda snapshot: snapshot is None)


async def test_another_class_replaces_the_connection(link, made):
    membership.save(KNOWN)
    await until(link, shows())
    membership.save(OTHER)
    await until(link, shows(name="Friday"))
    assert made == ["Monday", "Friday"]


async def test_a_student_who_joins_again_replaces_the_connection(link, made):
    membership.save(KNOWN)
    await until(link, shows())
    again = {"token": "another", "name": "Ann again", "shares_code": True}
    membership.change("laptop", lambda _: again)
    known = ("connected", "Ann again")
    await until(link, lambda snapshot: snapshot and (snapshot["link"], snapshot["name"]) == known)
    assert made == ["Monday", "Monday"]


async def test_only_one_process_of_a_folder_connects_and_the_other_takes_over(
    link, made, state_dir
):
    with other_process(state_dir):
        membership.save(KNOWN)
        await until(link, shows("other process"))
        membership.change("laptop", lambda _: {"hints_held": ["stop"]})
        await until(link, lambda snapshot: snapshot["held"][0] == ["stop"])
        assert made == []
    await until(link, shows())
    assert made == ["Monday"]


async def test_a_page_that_was_closed_hears_nothing(link):
    closed, kept = link.join(), link.join()
    link.leave(closed)
    membership.save(KNOWN)
    await asyncio.wait_for(kept.wait(), TIMEOUT)
    assert not closed.is_set()


async def test_a_page_hears_nothing_of_what_has_not_changed(link):
    membership.save(KNOWN)
    await until(link, shows())
    has_published = threading.Event()  # to the pages that were open by then
    link.do(lambda client: has_published.set())
    assert await asyncio.to_thread(has_published.wait, TIMEOUT)
    changed = link.join()
    link._publish(dict(link.snapshot))
    await asyncio.sleep(0)  # the event would be set in this turn of the loop
    assert not changed.is_set()


async def test_an_action_of_a_page_runs_in_the_thread_of_the_room(link, made):
    membership.save(replace(KNOWN, messages=[{"id": 7, "text": "Hi"}]))
    await until(link, shows())
    link.do(lambda client: client.dismiss(7))
    await until(link, lambda snapshot: snapshot["messages"] == [])
    assert made == ["Monday", "room"]
    assert membership.read().messages == []


async def test_an_action_before_or_after_the_class_does_nothing(link):
    called = []
    link.do(called.append)
    membership.save(KNOWN)
    await until(link, shows())
    membership.forget()
    await until(link, lambda snapshot: snapshot is None)
    link.do(called.append)
    await asyncio.to_thread(link.stop)
    assert called == []


async def test_a_failure_of_the_thread_is_logged_and_the_next_page_starts_it_again(
    link, monkeypatch, caplog
):
    monkeypatch.setattr(FakeClient, "failure", RuntimeError("broken"))
    thread = link._thread
    membership.save(KNOWN)
    await asyncio.to_thread(thread.join, TIMEOUT)
    [record] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.message.startswith("The connection to the class has failed.")
    assert record.exc_info
    assert link.snapshot is None
    monkeypatch.setattr(FakeClient, "failure", None)
    link.start()
    await until(link, shows())


async def test_a_thread_that_has_failed_hides_no_class_that_the_next_one_shows(
    link, made, monkeypatch
):
    publish, is_shown, pages = link._publish, threading.Event(), []

    def publish_late(snapshot):
        """A page starts the link again at the moment at which the thread publishes its end."""
        if snapshot is None and made and not pages:
            monkeypatch.setattr(FakeClient, "failure", None)
            pages.append(threading.Thread(target=link.start))
            pages[0].start()
            is_shown.wait(0.2)  # in vain, if the page has to wait for this thread
        publish(snapshot)
        if shows()(snapshot):
            is_shown.set()

    monkeypatch.setattr(link, "_publish", publish_late)
    monkeypatch.setattr(FakeClient, "failure", RuntimeError("broken"))
    failed = link._thread
    membership.save(KNOWN)
    await asyncio.to_thread(failed.join, TIMEOUT)
    await until(link, shows())
    pages[0].join()


def test_a_damaged_file_is_read_once_and_not_at_each_look(monkeypatch, state_dir):
    looks, reads, state_of = threading.Semaphore(0), [], room_link.state_of

    def look(file):
        looks.release()
        return state_of(file)

    monkeypatch.setattr(room_link, "state_of", look)
    monkeypatch.setattr(membership, "read", lambda: reads.append("read"))
    (state_dir / "room.json").write_text("{")
    link = RoomLink()
    link.start()
    for _ in range(5):
        assert looks.acquire(timeout=TIMEOUT)
    link.stop()
    assert reads == ["read"]


async def test_a_link_that_was_stopped_has_no_thread_and_no_lock(link):
    membership.save(KNOWN)
    await until(link, shows())
    await asyncio.to_thread(link.stop)
    assert (link.snapshot, link._thread) == (None, None)
    assert not other_process_serves(patience=0)


def test_a_terminal_finds_the_workshop_that_serves_the_class(state_dir):
    assert not other_process_serves(patience=0)
    with other_process(state_dir):
        assert other_process_serves(patience=0)
