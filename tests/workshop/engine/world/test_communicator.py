"""The strict communicator never waits, and accepts only what Daphne accepts."""

import asyncio
import time
from contextlib import suppress

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.judge import StrictCommunicator, StrictHttpCommunicator
from tests.support.accepting_consumers import Accepts, AcceptsInAThread


class Lamp(AcceptsInAThread):
    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": event["text"]})


class AsyncLamp(Accepts):
    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})


def visit(consumer, **kwargs):
    return StrictCommunicator(consumer.as_asgi(), "/ws/lamp/", **kwargs)


@pytest.mark.parametrize("consumer", [Lamp, AsyncLamp])
async def test_has_the_methods_of_the_stock_communicator(consumer):
    async with visit(consumer) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="on")
        assert await client.receive_from() == "on"
        await client.send_json_to({"light": 1})
        assert await client.receive_json_from() == {"light": 1}
        assert await client.receive_nothing()
        await client.disconnect()
        assert client.finished


async def test_reports_an_exception_that_the_test_does_not_read():
    class Broken(Lamp):
        def websocket_receive(self, event):
            raise KeyError("light")

    async with visit(Broken) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="KeyError: 'light'") as excinfo:
            await client.send_to(text_data="on")

    assert excinfo.value.finding.diagnosis == "exception"
    assert excinfo.value.finding.handler.endswith("Broken.websocket_receive")
    assert excinfo.value.finding.file == __file__


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


class Stuck(AsyncLamp):
    async def websocket_disconnect(self, event):
        await asyncio.Event().wait()


class Closing(Lamp):
    def websocket_receive(self, event):
        self.send({"type": "websocket.close"})


@pytest.mark.parametrize(
    ("consumer", "act", "diagnosis"),
    [
        (Lamp, lambda client: client.receive_from(), "no-reply"),
        (Lamp, lambda client: client.wait(), "still-open"),
        (Stuck, lambda client: client.disconnect(), "handler-never-returned"),
        (Closing, lambda client: client.send_to(text_data="still there?"), "closed-early"),
    ],
)
async def test_reports_at_once_what_a_client_would_wait_for(consumer, act, diagnosis):
    started = time.monotonic()
    async with visit(consumer) as client:
        await client.connect()
        if consumer is Closing:
            await client.send_to(text_data="bye")
        with pytest.raises(CheckFailed) as excinfo:
            await act(client)
    assert diagnose(excinfo.value.finding).diagnosis == diagnosis
    assert time.monotonic() - started < 60


# How a connection ends, and what a consumer leaves behind


class Blinks(Accepts):
    """Sends from a task that is never cancelled."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.blink())

    async def blink(self):
        while True:
            await asyncio.sleep(1)
            await self.send({"type": "websocket.send", "text": "blink"})


class TidyBlinks(Blinks):
    """Cancels its task at every end of the connection."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()


class HalfTidyBlinks(Blinks):
    """Cancels its task only when the client leaves."""

    async def websocket_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer


async def finding_of(consumer, end):
    """The finding when `end` ends a connection to that consumer."""
    async with visit(consumer) as client:
        await client.connect()
        with pytest.raises(CheckFailed) as excinfo:
            await getattr(client, end)()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return excinfo.value.finding


class Untidy(Blinks):
    """Its clean-up raises."""

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.task.cancel()
            self.missing.cancel()


class Stubborn(TidyBlinks):
    """Its task ignores a cancel."""

    async def blink(self):
        for _ in range(100):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1)


class Silent(TidyBlinks):
    """Hides a bug, and leaves the socket open."""

    async def __call__(self, scope, receive, send):
        with suppress(ValueError):
            await super().__call__(scope, receive, send)


class Grouped(Blinks):
    """Its own task group turns a crash into an exception group."""

    async def __call__(self, scope, receive, send):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(3600))
            try:
                await AsyncConsumer.__call__(self, scope, receive, send)
            finally:
                task.cancel()

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
@pytest.mark.parametrize("consumer", [TidyBlinks, Grouped])
async def test_accepts_any_end_of_a_consumer_that_cleans_up(consumer, end):
    async with visit(TidyBlinks) as other, visit(consumer) as client:
        await other.connect()
        await client.connect()
        await getattr(client, end)()
        assert client.finished
        assert await other.receive_from() == "blink"  # the task of another connection goes on


@pytest.mark.parametrize(
    ("consumer", "end", "diagnosis"),
    [
        (Blinks, "disconnect", "task-left-behind"),
        (Blinks, "crash", "cleanup-skipped"),
        (HalfTidyBlinks, "crash", "cleanup-skipped"),
        (HalfTidyBlinks, "kill", "cleanup-skipped"),
        (Untidy, "crash", "cleanup-raises"),
        (Untidy, "kill", "cleanup-raises"),
        (Stubborn, "disconnect", "cancel-swallowed"),
        (Stubborn, "crash", "cancel-swallowed"),
        (Stubborn, "kill", "cancel-swallowed"),
        (Silent, "crash", "exception-hidden"),
    ],
)
async def test_names_what_an_end_leaves_behind(consumer, end, diagnosis):
    assert (await finding_of(consumer, end)).diagnosis == diagnosis


@pytest.mark.parametrize("end", ["disconnect", "kill"])
async def test_finds_the_line_at_which_a_leftover_task_waits(end):
    finding = await finding_of(Blinks, end)
    assert (finding.file, finding.handler.endswith("Blinks.blink")) == (__file__, True)


async def test_a_consumer_that_survives_a_bug_goes_on():
    class Tough(TidyBlinks):
        async def dispatch(self, message):
            with suppress(ValueError):
                await super().dispatch(message)

    async with visit(Tough) as client:
        await client.connect()
        await client.crash()
        assert await client.receive_from() == "blink"
        await client.disconnect()


async def test_names_a_failed_task_while_its_client_waits():
    class Broken(TidyBlinks):
        async def blink(self):
            raise LookupError("no light")

    async with visit(Broken) as client:
        await client.connect()
        with pytest.raises(CheckFailed, match="LookupError: no light") as excinfo:
            await client.receive_from()
        assert excinfo.value.finding.diagnosis == "task-died"
        assert excinfo.value.finding.handler.endswith("Broken.blink")


# HTTP


START = {"type": "http.response.start", "status": 200}
BODY = {"type": "http.response.body"}


class Answers(AsyncConsumer):
    """Sends `replies` when the whole request has arrived. A number in them is a pause."""

    replies = (START, {**BODY, "body": b"ok"})
    body = b""
    task = None

    async def http_request(self, event):
        self.body += event["body"]
        if not event["more_body"]:
            await self.play()

    async def play(self):
        for reply in self.replies:
            await (asyncio.sleep(reply) if isinstance(reply, int) else self.send(reply))

    async def http_disconnect(self, event):
        raise StopConsumer


class Streams(Answers):
    """Sends the same replies from a task."""

    replies = (START, *[{**BODY, "body": b".", "more_body": True}, 1] * 100, BODY)

    async def play(self):
        self.task = asyncio.create_task(super().play())

    async def http_disconnect(self, event):
        self.task.cancel()
        raise StopConsumer


def ask(consumer=Answers, *replies, method="GET", **kwargs):
    consumer = type(consumer.__name__, (consumer,), {"replies": replies} if replies else {})
    return StrictHttpCommunicator(consumer.as_asgi(), method, "/", **kwargs)


@pytest.mark.parametrize("consumer", [Answers, Streams])
async def test_reads_the_response_and_sees_the_consumer_stop(consumer):
    headers = [(b"content-type", b"text/plain")]
    parts = {**BODY, "body": b"a", "more_body": True}, 3600, {**BODY, "body": b"b"}
    async with ask(consumer, {**START, "headers": headers}, *parts) as client:
        response = await client.get_response(timeout=4000)
        assert response == {"status": 200, "headers": headers, "body": b"ab"}
        assert client.finished
    kinds = [event.message["type"] for event in client.transcript]
    assert kinds[-2:] == ["http.disconnect", "finished"]


MORE = {**BODY, "body": b"a", "more_body": True}


@pytest.mark.parametrize("consumer", [Answers, Streams], ids=["handler", "task"])
@pytest.mark.parametrize(
    ("diagnosis", "replies"),
    [
        ("answered-twice", [START, BODY, START, BODY]),
        ("response-cut-short", [START, {**BODY, "body": b"a"}, {**BODY, "body": b"b"}]),
        ("response-not-finished", [START, MORE]),
        ("response-not-finished", [START]),
        ("response-missing", [1]),
    ],
)
async def test_names_what_a_client_of_the_response_misses(consumer, diagnosis, replies):
    with pytest.raises(CheckFailed) as excinfo:
        async with ask(consumer, *replies) as client:
            await client.get_response()
    assert diagnose(excinfo.value.finding).diagnosis == diagnosis


class StaysOn(Answers):
    async def http_disconnect(self, event):
        pass


class Deaf(AsyncConsumer):
    http_request = Answers.http_request
    play = Answers.play
    body = b""


class Forgets(Streams):
    async def http_disconnect(self, event):
        raise StopConsumer


@pytest.mark.parametrize(
    ("diagnosis", "consumer", "replies"),
    [
        ("http-no-stop-consumer", StaysOn, [START, BODY]),
        ("http-no-stop-consumer", StaysOn, [START, MORE]),
        ("no-http-disconnect-handler", Deaf, [START, BODY]),
        ("stream-outlives-client", Answers, [START, *[MORE, 1] * 100]),
        ("stream-outlives-client", Forgets, [START, *[MORE, 1] * 100]),
        ("task-left-behind", Forgets, [START, BODY, 100]),
        ("handler-never-returned", Answers, [START, BODY, 100]),
    ],
)
async def test_names_what_a_consumer_leaves_behind(diagnosis, consumer, replies):
    with pytest.raises(CheckFailed) as excinfo:
        async with ask(consumer, *replies) as client:
            await client.send_request()
    assert diagnose(excinfo.value.finding).diagnosis == diagnosis
