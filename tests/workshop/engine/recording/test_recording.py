"""Recording: ASGI messages, layer calls and queries, each with its connection and handler."""

import asyncio
import copy
import json
import pickle

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.layers import channel_layers, get_channel_layer
from django.contrib.auth.models import Group

from lessons.workshop.engine.recording.layer import RecordingLayer, record_layer
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.queries import record_queries
from lessons.workshop.engine.recording.recorder import Recorder, TrackedMessage, current_connection
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture(autouse=True)
def layer():
    with fresh_layers():
        yield


class Member(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.channel_layer.group_add("room", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.channel_layer.group_send("room", {"type": "chat.message", "text": "hi"})

    async def chat_message(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("room", self.channel_name)
        raise StopConsumer


def seen(client):
    return [(e.lane, e.direction, e.message["type"], e.handler) for e in client.transcript]


async def test_records_layer_calls_and_layer_messages():
    async with StrictCommunicator(Member.as_asgi(), "/ws/") as client:
        await client.connect()
        await client.send_to(text_data="hi")
        await client.disconnect()

    assert seen(client) == [
        ("client", "in", "scope", None),
        ("client", "in", "websocket.connect", "websocket_connect"),
        ("layer", "out", "group_add", "websocket_connect"),
        ("client", "out", "websocket.accept", "websocket_connect"),
        ("client", "in", "websocket.receive", "websocket_receive"),
        ("layer", "out", "group_send", "websocket_receive"),
        ("layer", "in", "chat.message", "chat_message"),
        ("client", "out", "websocket.send", "chat_message"),
        ("client", "in", "websocket.disconnect", "websocket_disconnect"),
        ("layer", "out", "group_discard", "websocket_disconnect"),
        ("consumer", "mark", "finished", "websocket_disconnect"),
    ]


async def test_records_a_group_message_on_the_receivers_connection():
    async with (
        StrictCommunicator(Member.as_asgi(), "/ws/") as speaker,
        StrictCommunicator(Member.as_asgi(), "/ws/") as listener,
    ):
        await speaker.connect()
        await listener.connect()
        await speaker.send_to(text_data="hi")

        assert ("layer", "in", "chat.message", "chat_message") in seen(listener)
        assert "group_send" not in [kind for _, _, kind, _ in seen(listener)]


async def test_numbers_events_and_names_their_connection():
    async with StrictCommunicator(Member.as_asgi(), "/ws/") as client:
        await client.connect()

    numbers = [event.seq for event in client.transcript]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({event.connection for event in client.transcript}) == 1
    times = [event.time for event in client.transcript]
    assert times == sorted(times)


async def test_records_the_error_that_ended_the_consumer():
    class Broken(Member):
        async def websocket_receive(self, event):
            raise KeyError("text")

    client = StrictCommunicator(Broken.as_asgi(), "/ws/")
    await client.connect()
    with pytest.raises(AssertionError):
        await client.send_to(text_data="hi")

    assert client.transcript[-1].message == {"type": "raised", "error": "KeyError: 'text'"}


async def test_records_a_consumer_that_was_killed():
    client = StrictCommunicator(Member.as_asgi(), "/ws/")
    await client.connect()
    await client.cancel_application()

    assert client.transcript[-1].message == {"type": "cancelled"}


async def test_hides_cookies_in_the_scope():
    headers = [(b"cookie", b"sessionid=s3cret"), (b"host", b"testserver")]
    async with StrictCommunicator(Member.as_asgi(), "/ws/?token=s3cret", headers) as client:
        await client.connect()

    assert "s3cret" not in json.dumps([event.as_json() for event in client.transcript])
    assert client.scope["headers"] == headers


class Reader(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        Group.objects.filter(name="s3cret").first()

    def websocket_disconnect(self, event):
        raise StopConsumer


class AsyncReader(Member):
    async def websocket_receive(self, event):
        await database_sync_to_async(Group.objects.filter(name="s3cret").first)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("consumer", [Reader, AsyncReader])
async def test_records_a_query_with_its_handler_and_thread_and_without_its_values(consumer):
    record_queries()
    async with StrictCommunicator(consumer.as_asgi(), "/ws/") as client:
        await client.connect()
        await client.send_to(text_data="look")

        queries = [event for event in client.transcript if event.lane == "database"]

    wanted = [event for event in queries if "auth_group" in event.message["sql"]]
    assert [(event.handler, event.direction) for event in wanted] == [("websocket_receive", "out")]
    assert wanted[0].thread != "MainThread"
    assert "s3cret" not in wanted[0].message["sql"]


async def test_a_layer_is_recorded_once_and_works_without_a_connection():
    record_layer()
    record_layer()

    layer = channel_layers["default"]
    assert isinstance(layer, RecordingLayer)
    assert not isinstance(layer.layer, RecordingLayer)
    channel = await layer.new_channel()
    await get_channel_layer().send(channel, {"type": "x"})
    assert await layer.receive(channel) == {"type": "x"}
    assert current_connection.get() is None


def test_a_tracked_message_is_copied_as_a_plain_dict():
    message = TrackedMessage({"type": "x", "text": "a"}, lambda message: None)

    for other in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert other == {"type": "x", "text": "a"}
        assert type(other) is dict
    assert json.dumps(message) == '{"type": "x", "text": "a"}'


def test_a_handler_starts_when_the_type_is_first_read_and_once_only():
    started = []
    message = TrackedMessage({"type": "x", "text": "a"}, started.append)

    message["text"], message["type"], message["type"]

    assert started == [message]


async def test_an_application_that_never_reads_the_type_is_recorded_too():
    async def bare(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    client = StrictCommunicator(bare, "/ws/")
    await client.connect()

    assert ("client", "in", "websocket.connect") in [row[:3] for row in seen(client)]
    await asyncio.wait([client.future])


async def test_an_event_names_its_handler_although_a_middleware_has_read_its_type():
    async def middleware(scope, receive, send):
        async def read():
            event = await receive()
            assert event["type"]
            return event

        await Member.as_asgi()(scope, read, send)

    async with StrictCommunicator(middleware, "/ws/") as client:
        await client.connect()
    assert ("client", "in", "websocket.connect", "websocket_connect") in seen(client)


async def test_what_another_connection_sends_has_no_handler_of_this_connection():
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        sends.append(send)
        if len(sends) == 2:
            await sends[0]({"type": "websocket.close"})
        await receive()

    sends = []
    async with StrictCommunicator(application, "/ws/") as first:
        await first.connect()
        async with StrictCommunicator(application, "/ws/") as second:
            await second.connect()
    assert ("client", "out", "websocket.close", None) in seen(first)


@pytest.mark.parametrize(
    "ask",
    [
        lambda message: message["type"],
        lambda message: message.get("type"),
        lambda message: _matches(message),
    ],
)
def test_a_handler_starts_however_its_type_is_read(ask):
    begun = []
    message = TrackedMessage({"type": "websocket.receive"}, begun.append)
    message.get("text")
    assert begun == []
    ask(message)
    assert begun == [message]


def _matches(message):
    match message:
        case {"type": "websocket.receive"}:
            return True
    return False


async def test_a_recorder_without_readers_records_nothing():
    async def application(*arguments):
        assert all(one is other for one, other in zip(arguments, given, strict=True))
        ran.append(current_connection.get())

    given, ran, recorder = ({"type": "websocket"}, object(), object()), [], Recorder(keep=False)
    await RecordingMiddleware(application, recorder)(*given)
    assert ran == [None]
    assert recorder.events == []
