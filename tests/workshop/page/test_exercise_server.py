"""The exercise server: a page's clients connect to a student's code, in its own process."""

import asyncio
import json
import time
from errno import ENOSPC
from multiprocessing import Pipe
from unittest.mock import Mock

import psutil
import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import Group

from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.process.child_process import clean_start_method, start_child
from lessons.workshop.page.exercise_server import child, process
from lessons.workshop.page.live.client_identity import LOST_CONNECTION
from lessons.workshop.page.live.feed import _feeds, new_feed_id
from lessons.workshop.page.live.recording import record_page_clients
from lessons.workshop.student import progress
from lessons.workshop.student.progress import Progress
from tests.support.courses import LAMP
from tests.support.page_client import SESSION, TIMEOUT, client

ASYNC = """\
import asyncio, os, sys, time
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Lamp(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({{"type": "websocket.accept"}})

    async def websocket_receive(self, event):
{body}

    async def say(self, text):
        await self.send({{"type": "websocket.send", "text": text}})

    async def websocket_disconnect(self, event):
        raise StopConsumer
"""


def async_lamp(*lines):
    """A consumer that runs these lines when a frame arrives."""
    body = "\n".join(f"        {line}" for line in lines)
    return ASYNC.format(body=body)


class PlayedPage:
    """A page of a lesson whose clients connect to `target`. Use it as an async context manager."""

    def __init__(self, application, lesson, target="exercise"):
        self.application, self.feed_id = application, new_feed_id(SESSION)
        self.options = f"lesson={lesson.key}&target={target}"
        self.messages = []  # what the feed has sent

    async def __aenter__(self):
        self.feed = client(self.application, f"/ws/feed/{self.feed_id}/")
        assert await self.feed.connect() == (True, None)
        return self

    async def __aexit__(self, *_):
        await self.feed.disconnect()

    def client(self, number=1, session=SESSION):
        path = f"/watched/{self.feed_id}/client={number}&{self.options}/ws/lamp/"
        return client(self.application, path, session)

    async def connect(self, number=1):
        """A connected client."""
        opened = self.client(number)
        assert await opened.connect() == (True, None)
        return opened

    async def wait_for(self, is_wanted):
        """The next message of the feed that is wanted."""
        while True:
            message = json.loads(await self.feed.receive_from())
            self.messages.append(message)
            if is_wanted(message):
                return message

    async def state(self, name):
        """What the feed reports about the served target, once it has this state."""
        message = await self.wait_for(lambda one: one.get("played", {}).get("state") == name)
        return message["played"]

    async def finding(self):
        """The next finding that the feed reports."""
        message = await self.wait_for(lambda one: one.get("played", {}).get("finding"))
        return message["played"]["finding"]

    async def events(self):
        """All recorded events, up to the end of the consumer."""

        def has_last(message):
            return "finished" in [event["message"].get("type") for event in message["events"]]

        await self.wait_for(lambda one: "events" in one and has_last(one))
        return [event for message in self.messages for event in message.get("events", [])]


@pytest.fixture
def application(page_layers, transactional_db):
    return record_page_clients(URLRouter([]))


@pytest.fixture
def lamp(course):
    """`lamp(source)` saves this source as the student's exercise. Returns the lesson."""
    lesson = course[0]

    def save(source):
        if "class Lamp(AsyncConsumer)" in source:
            text = lesson.path_to("lesson.md").read_text()
            lesson.path_to("lesson.md").write_text(text.replace("SyncConsumer", "AsyncConsumer"))
            vars(lesson).pop("_fields_and_text", None)
        lesson.exercise.write_text(source)
        return lesson

    return save


def running_servers():
    return [feed.server for feed in _feeds.values() if feed.server]


# What a client and its page receive


async def test_relays_each_event_to_the_exercise_and_records_it(application, lamp):
    async with PlayedPage(application, lamp(LAMP)) as page:
        client = await page.connect()
        await client.send_to(text_data="on")
        assert await client.receive_from(timeout=TIMEOUT) == "on"
        await client.send_to(text_data="bye")
        assert await client.receive_output(timeout=TIMEOUT) == {"type": "websocket.close"}
        await client.disconnect(code=4001)
        events = await page.events()
        [pid] = [server._process._child.pid for server in running_servers()]
    assert running_servers() == []  # the process ends with its page
    assert not psutil.pid_exists(pid)
    assert [(one["direction"], one["message"]["type"], one["handler"]) for one in events] == [
        ("in", "scope", None),
        ("in", "websocket.connect", "websocket_connect"),
        ("out", "websocket.accept", "websocket_connect"),
        ("in", "websocket.receive", "websocket_receive"),
        ("out", "websocket.send", "websocket_receive"),
        ("in", "websocket.receive", "websocket_receive"),
        ("out", "websocket.close", "websocket_receive"),
        ("in", "websocket.disconnect", "websocket_disconnect"),
        ("mark", "finished", "websocket_disconnect"),
    ]
    assert events[0]["message"]["path"] == "/ws/lamp/"
    assert events[7]["message"]["code"] == 4001
    assert SESSION not in json.dumps(events)


async def test_an_exception_of_daphne_comes_back_into_the_consumer(application, lamp):
    catches = LAMP.replace(
        'self.send({"type": "websocket.accept"})',
        """\
try:
            self.send({"type": "websocket.accept", "subprotocol": 7})
        except ValueError as error:
            self.send({"type": "websocket.close", "reason": f"{error!r}"})""",
    )
    async with PlayedPage(application, lamp(catches)) as page:
        sent, events = [], asyncio.Queue()
        await events.put({"type": "websocket.connect"})

        async def send(message):
            sent.append(message)
            if message["type"] == "websocket.accept":
                raise ValueError("not a subprotocol")
            await events.put({"type": "websocket.disconnect", "code": 1006})

        await application(page.client().scope, events.get, send)
    assert sent[1] == {"type": "websocket.close", "reason": "ValueError('not a subprotocol')"}


async def test_a_step_from_outside_calls_a_function_of_the_exercise(application, lamp):
    lesson = lamp(f"{LAMP}\n\ndef report(number):\n    return number + 1\n")
    text = lesson.path_to("lesson.md").read_text()
    lesson.path_to("lesson.md").write_text(
        text.replace("---\n", "---\noutside: call report [1]\n", 1)
    )
    vars(lesson).pop("_fields_and_text", None)
    async with PlayedPage(application, lesson) as page:
        await page.connect()
        await page.feed.send_json_to({"outside": 0})
        assert await page.wait_for(lambda one: "outside" in one) == {"outside": "Done: 2"}


async def test_plays_a_mistake_and_the_solution_once_it_was_green(application, lamp, monkeypatch):
    lesson = lamp("syntax error")
    for target in ("solution", "mistake:Unknown", "check"):
        page = PlayedPage(application, lesson, target)
        assert await page.client().connect(timeout=TIMEOUT) == (False, 1000)
    async with PlayedPage(application, lesson, "mistake:AlwaysRepeats") as page:
        client = await page.connect()
        await client.send_to(text_data="bye")
        assert await client.receive_from(timeout=TIMEOUT) == "bye"
        await client.disconnect()
    monkeypatch.setattr(progress, "of", lambda lesson: Progress(was_green=True))
    async with PlayedPage(application, lesson, "solution") as page:
        await (await page.connect()).disconnect()


# What is its own


async def test_what_the_exercise_writes_stays_in_its_copy(application, lamp):
    source = async_lamp(
        "from django.contrib.auth.models import Group",
        "await Group.objects.acreate(name=event['text'])",
        "await self.say(str([group.name async for group in Group.objects.all()]))",
    )
    async with PlayedPage(application, lamp(source)) as page:
        for number, expected in ((1, "['staff']"), (2, "['staff', 'staff2']")):
            client = await page.connect(number)
            await client.send_to(text_data="staff" if number == 1 else "staff2")
            assert await client.receive_from(timeout=TIMEOUT) == expected
            await client.disconnect()
    assert not await Group.objects.aexists()


# Saving the file


async def test_a_save_restarts_it_and_closes_its_clients_as_lost(application, lamp):
    async with PlayedPage(application, lamp(async_lamp("await self.say('one')"))) as page:
        client = await page.connect()
        lamp(async_lamp("await self.say('two')"))
        lost = {"type": "websocket.close", "code": LOST_CONNECTION}
        assert await client.receive_output(timeout=TIMEOUT) == lost
        assert await page.state("restarted") == {
            "target": "exercise", "state": "restarted", "finding": None,
        }  # fmt: skip
        client = await page.connect()
        await client.send_to(text_data="on")
        assert await client.receive_from(timeout=TIMEOUT) == "two"
        await client.disconnect()


# Its faults

MAX_PAUSE = 1.0  # seconds; on an idle machine it is below 0.1 s
SEND = 'await self.send({"type": "websocket.send", "text": '
FAULTS = {  # the line, the diagnosis, and the line number in it
    "blocks": ("while True: pass", "blocked-loop", 11),
    "floods": (f'while True: {SEND}"x"}})', "endless-sending", 11),
    "exits at once": ("os._exit(3)", "process-died", 0),
    "exits": ("sys.exit(3)", "calls-exit", 11),
    "crashes": ("os.kill(os.getpid(), 11)", "process-died", 0),
    "closes its files": ("os.closerange(3, 200); time.sleep(60)", "process-died", 0),
    "eats memory": ("x = [bytes(10_000_000) for _ in range(10_000)]", "exception", 11),
    "sends a giant frame": (f'{SEND}"x" * 17_000_000}})', "exception", 11),
}


@pytest.mark.parametrize(("line", "diagnosis", "at"), FAULTS.values(), ids=FAULTS)
async def test_names_the_fault_and_the_loop_of_the_workshop_goes_on_while_an_exercise(
    application, lamp, monkeypatch, line, diagnosis, at
):
    monkeypatch.setattr(process, "ANSWER_TIMEOUT", 0.5)
    async with PlayedPage(application, lamp(async_lamp(line))) as page:
        client = await page.connect()
        await client.send_to(text_data="on")
        finding, longest = asyncio.create_task(page.finding()), 0.0
        while not finding.done():
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - begun)
        client.stop(exceptions=False)
    assert (finding.result()["diagnosis"], finding.result()["line"]) == (diagnosis, at)
    assert longest < MAX_PAUSE


# Its end


async def test_a_workshop_that_cannot_serve_says_why_and_tries_again(
    application, lamp, monkeypatch, tmp_path, caplog
):
    error = OSError(ENOSPC, "No space left on device")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with PlayedPage(application, lamp(LAMP)) as page:
        with monkeypatch.context() as failing:
            failing.setattr("tempfile.mkdtemp", Mock(side_effect=error))
            assert await page.client().connect(timeout=TIMEOUT) == (False, 1000)
            finding = (await page.state("ended"))["finding"]
        assert finding["title"] == "The workshop cannot run the code"
        assert "Make room on" in finding["detail"]
        assert [record.exc_info[1] for record in caplog.records] == [error]
        await (await page.connect()).disconnect()
        (folder,) = tmp_path.glob("tmp*")
    assert running_servers() == []
    assert not folder.exists()


async def test_a_stranger_and_a_client_of_a_closed_page_start_nothing(application, lamp):
    async with PlayedPage(application, lamp(LAMP)) as page:
        for session in ("their0session0key", None):
            stranger = page.client(session=session)
            assert await stranger.connect(timeout=TIMEOUT) == (False, 1000)
        assert running_servers() == []
    assert await page.client().connect(timeout=TIMEOUT) == (False, 1000)
    assert running_servers() == []


def test_a_process_that_blocks_ends_with_its_workshop(lamp, tmp_path):
    lesson = lamp("while True: pass")
    ours, theirs = Pipe()
    served = child.ServedTarget(lesson, resolve(lesson, "exercise"), str(tmp_path), "[]")
    started = start_child(child.run, theirs, served, method=clean_start_method())
    theirs.close()
    assert ours.poll(TIMEOUT)  # it runs
    ours.close()
    started.join(TIMEOUT)
    assert started.exitcode == 0
