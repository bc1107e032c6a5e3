"""The strict communicator never waits, and accepts only what Daphne accepts.

The mistakes of lessons 7 and 8 prove most diagnoses of an end.
"""

import asyncio
from contextlib import suppress

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import CheckFailed
from tests.support.accepting_consumers import Accepts, AcceptsInAThread
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator


class Lamp(AcceptsInAThread):
    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})


def visit(consumer):
    return StrictCommunicator(consumer.as_asgi(), "/ws/lamp/")


async def finding_of(client, act):
    """The finding of the CheckFailed that `act` must raise."""
    with pytest.raises(CheckFailed) as excinfo:
        async with client:
            await act(client)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return diagnose(excinfo.value.finding)


class Stuck(Accepts):
    async def websocket_disconnect(self, event):
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("consumer", "method", "diagnosis"),
    [
        (Lamp, "receive_from", "no-reply"),
        (Lamp, "wait", "still-open"),
        (Stuck, "disconnect", "handler-never-returned"),
    ],
)
async def test_names_what_is_wrong_while_a_client_is_connected(consumer, method, diagnosis):
    async def act(client):
        await client.connect()
        await getattr(client, method)()

    finding = await finding_of(visit(consumer), act)
    assert (finding.diagnosis, finding.file) == (diagnosis, __file__)


async def test_ignores_a_broken_rule_that_the_consumer_catches():
    """Daphne raises in the handler. A handler that catches the exception goes on."""

    class Careful(Lamp):
        def websocket_connect(self, event):
            try:
                self.send({"type": "websocket.send", "text": "too early"})
            except ValueError:
                self.send({"type": "websocket.accept"})

    async with visit(Careful) as client:
        assert await client.connect() == (True, None)


# How a connection ends, and what a consumer leaves behind


class Blinks(Accepts):
    """Sends from a task. It cancels the task, and waits for it, at every end of the connection."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.blink())

    async def blink(self):
        while True:
            await asyncio.sleep(1)
            await self.send({"type": "websocket.send", "text": "blink"})

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()
            await asyncio.wait([self.task])


class Untidy(Blinks):
    """Its clean-up raises."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.missing.cancel()


class Stubborn(Blinks):
    """Its task ignores a cancel."""

    async def blink(self):
        for _ in range(100):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1)


class Silent(Blinks):
    """Hides a bug, and leaves the socket open."""

    async def __call__(self, scope, receive, send):
        with suppress(ValueError):
            await super().__call__(scope, receive, send)


class Grouped(Blinks):
    """Its own task group turns a crash into an exception group."""

    async def __call__(self, scope, receive, send):
        async with asyncio.TaskGroup() as group:
            self.task = group.create_task(asyncio.sleep(3600))
            try:
                await AsyncConsumer.__call__(self, scope, receive, send)
            finally:
                self.task.cancel()

    websocket_connect = Accepts.websocket_connect


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
@pytest.mark.parametrize("consumer", [Blinks, Grouped])
async def test_accepts_any_end_of_a_consumer_that_cleans_up(consumer, end):
    async with visit(Blinks) as other, visit(consumer) as client:
        await other.connect()
        await client.connect()
        await getattr(client, end)()
        assert client.finished
        assert await other.receive_from() == "blink"  # the task of another connection goes on


@pytest.mark.parametrize(
    ("consumer", "end", "diagnosis", "handler"),
    [
        (Untidy, "crash", "cleanup-raises", "__call__"),
        (Stubborn, "disconnect", "cancel-swallowed", "blink"),
        (Stubborn, "kill", "cancel-swallowed", "blink"),
        (Silent, "crash", "exception-hidden", ""),
    ],
)
async def test_names_what_an_end_leaves_behind(consumer, end, diagnosis, handler):
    async def act(client):
        await client.connect()
        await getattr(client, end)()

    finding = await finding_of(visit(consumer), act)
    assert (finding.diagnosis, finding.handler.endswith(handler)) == (diagnosis, True)


async def test_a_consumer_that_survives_a_bug_goes_on():
    class Tough(Blinks):
        async def dispatch(self, message):
            with suppress(ValueError):
                await super().dispatch(message)

    async with visit(Tough) as client:
        await client.connect()
        await client.crash()
        assert await client.receive_from() == "blink"
        await client.disconnect()


# HTTP


START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}


class Answers(AsyncConsumer):
    """Sends `replies`. A number in them is a pause."""

    replies = ()

    async def http_request(self, event):
        await self.play()

    async def play(self):
        for reply in self.replies:
            await (asyncio.sleep(reply) if isinstance(reply, int) else self.send(reply))

    async def http_disconnect(self, event):
        raise StopConsumer


class Forgets(Answers):
    """Sends the same replies from a task, which it does not cancel."""

    async def play(self):
        self.task = asyncio.create_task(super().play())


def ask(consumer, *replies):
    consumer = type(consumer.__name__, (consumer,), {"replies": replies})
    return StrictHttpCommunicator(consumer.as_asgi(), "GET", "/")


@pytest.mark.parametrize(
    ("diagnosis", "consumer", "replies"),
    [
        ("answered-twice", Answers, [START, BODY, START, BODY]),
        ("response-cut-short", Forgets, [START, {**BODY, "body": b"a"}, {**BODY, "body": b"b"}]),
        ("response-missing", Answers, [1]),
        ("response-missing", Forgets, [1]),
        ("task-left-behind", Forgets, [START, BODY, 100]),
        ("handler-never-returned", Answers, [START, BODY, 100]),
    ],
)
async def test_names_what_is_wrong_with_a_response_or_its_end(diagnosis, consumer, replies):
    async def act(client):
        await client.send_request()
        await client.receive_output()

    finding = await finding_of(ask(consumer, *replies), act)
    assert finding.diagnosis == diagnosis
