"""The strict HTTP communicator never waits, and accepts only what Daphne accepts."""

import asyncio

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.judge import StrictHttpCommunicator

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


def visit(consumer=Answers, *replies, method="GET", **kwargs):
    consumer = type(consumer.__name__, (consumer,), {"replies": replies} if replies else {})
    return StrictHttpCommunicator(consumer.as_asgi(), method, "/", **kwargs)


async def diagnosed(consumer, *replies):
    """The diagnosis when a client asks that consumer for the whole response."""
    with pytest.raises(CheckFailed) as excinfo:
        async with visit(consumer, *replies) as client:
            await client.get_response()
    return excinfo.value.finding.diagnosis


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers():
        yield


@pytest.mark.parametrize("consumer", [Answers, Streams])
async def test_reads_the_response_and_sees_the_consumer_stop(consumer):
    headers = [(b"content-type", b"text/plain")]
    parts = {**BODY, "body": b"a", "more_body": True}, 3600, {**BODY, "body": b"b"}
    async with visit(consumer, {**START, "headers": headers}, *parts) as client:
        response = await client.get_response(timeout=4000)
        assert response == {"status": 200, "headers": headers, "body": b"ab"}
        assert client.finished
    kinds = [event.message["type"] for event in client.transcript]
    assert kinds[-2:] == ["http.disconnect", "finished"]


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        (b"", [(0, False)]),
        (b"x" * 8191, [(8191, False)]),
        (b"x" * 8192, [(8192, True), (0, False)]),
        (b"x" * 10_000, [(8192, True), (1808, False)]),
        ([b"a", b"", b"bc"], [(1, True), (0, True), (2, False)]),
    ],
)
async def test_sends_the_body_in_pieces(body, pieces):
    async with visit(body=body) as client:
        await client.get_response()
    requests = [e.message for e in client.transcript if e.message["type"] == "http.request"]
    came = [(len(message["body"]), message["more_body"]) for message in requests]
    # The transcript cuts long values.
    assert [(min(size, 4099), more) for size, more in pieces] == came


async def test_reads_the_body_so_far_without_a_wait():
    async with visit(Streams) as client:
        await client.send_request()
        assert await client.read_so_far() == b"."
        assert await client.read_so_far() == b""
        await asyncio.sleep(2.5)
        assert await client.read_so_far() == b".."
        await client.disconnect()
        assert client.finished


async def test_a_response_can_wait_for_the_layer():
    class Polls(Answers):
        async def play(self):
            await self.channel_layer.group_add("news", self.channel_name)

        async def news(self, event):
            await self.channel_layer.group_discard("news", self.channel_name)
            await super().play()

    async with visit(Polls) as client:
        await client.send_request()
        client.expect()
        await get_channel_layer().group_send("news", {"type": "news"})
        assert (await client.get_response())["body"] == b"ok"


async def test_treats_messages_as_equal_if_a_server_does():
    async with visit(Answers, {**START, "headers": ()}, BODY) as client:
        await client.send_request()
        client.expect({**START, "headers": []}, {**BODY, "body": b"", "more_body": False})


MORE = {**BODY, "body": b"a", "more_body": True}


@pytest.mark.parametrize("consumer", [Answers, Streams], ids=["handler", "task"])
@pytest.mark.parametrize(
    ("diagnosis", "replies"),
    [
        ("body-not-bytes", [START, {**BODY, "body": "str"}]),
        ("body-not-bytes", [START, {**BODY, "body": None}]),
        ("body-not-bytes", [START, {**BODY, "body": ""}]),
        ("headers-not-bytes", [{**START, "headers": [("a", b"b")]}, BODY]),
        ("headers-not-bytes", [{**START, "headers": [(b"a", 1)]}, BODY]),
        ("headers-not-pairs", [{**START, "headers": {b"name": b"b"}}, BODY]),
        ("headers-not-pairs", [{**START, "headers": None}, BODY]),
        ("status-missing", [{"type": "http.response.start"}, BODY]),
        ("status-not-int", [{**START, "status": "200"}, BODY]),
        ("body-before-start", [BODY]),
        ("started-twice", [START, MORE, START, BODY]),
        ("answered-twice", [START, BODY, START, BODY]),
        ("response-cut-short", [START, {**BODY, "body": b"a"}, {**BODY, "body": b"b"}]),
        ("response-not-finished", [START, MORE]),
        ("response-not-finished", [START]),
        ("response-missing", [1]),
        ("unknown-response-type", [{"type": "http.respons.start"}]),
        ("reply-without-type", [{"status": 200}]),
        ("reply-not-a-dict", ["ok"]),
    ],
)
async def test_names_a_broken_rule(consumer, diagnosis, replies):
    assert await diagnosed(consumer, *replies) == diagnosis


async def test_gives_up_on_an_endless_stream():
    assert await diagnosed(Answers, START, *[MORE, 1] * 100) == "response-not-finished"


async def test_a_consumer_that_stops_early_leaves_its_client_waiting():
    class Stops(Answers):
        async def play(self):
            await super().play()
            raise StopConsumer

    assert await diagnosed(Stops, 0) == "response-missing"
    assert await diagnosed(Stops, START, MORE) == "response-not-finished"
    async with visit(Stops) as client:
        assert (await client.get_response())["body"] == b"ok"


async def test_names_a_second_response():
    class AnswersEach(Answers):
        async def http_request(self, event):
            await self.play()

    with pytest.raises(CheckFailed) as excinfo:
        async with visit(AnswersEach, body=[b"a", b"b"]) as client:
            await client.send_request()
    assert excinfo.value.finding.diagnosis == "answered-twice"


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
        async with visit(consumer, *replies) as client:
            await client.send_request()
    assert excinfo.value.finding.diagnosis == diagnosis


async def test_drops_a_body_for_a_disconnected_client():
    class SaysGoodbye(Streams):
        async def http_disconnect(self, event):
            await self.send(BODY)
            await super().http_disconnect(event)

    async with visit(SaysGoodbye) as client:
        await client.send_request()
        await client.read_so_far()
        await client.disconnect()
        client.expect()
