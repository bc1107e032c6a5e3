"""Recording: messages, layers, and the state of the consumer.

The transcripts of the lessons prove which events there are, and the handler of each.
"""

import asyncio
from collections import deque
from pathlib import Path

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import channel_layers

from lessons.workshop.engine.recording.consumer_state import attributes_of
from lessons.workshop.engine.recording.layer import RecordingLayer, record_layer
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Recorder
from tests.support.strict_communicator import StrictCommunicator

pytestmark = pytest.mark.usefixtures("simulated_layer")


async def test_a_layer_is_recorded_once_and_works_without_a_connection():
    record_layer()
    record_layer()
    layer = channel_layers["default"]
    assert isinstance(layer, RecordingLayer)
    assert not isinstance(layer.layer, RecordingLayer)
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "x"})
    assert await layer.receive(channel) == {"type": "x"}


# The state of the consumer


class Counter(SyncConsumer):
    """Counts frames, for itself and for all connections."""

    total = 0

    def websocket_connect(self, event):
        self.count = 0
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.count += 1
        Counter.total += 1  # and no answer

    def websocket_disconnect(self, event):
        del self.count
        raise StopConsumer()


async def test_an_event_has_what_the_consumer_changed_after_it(monkeypatch):
    monkeypatch.setattr(Counter, "total", 0)
    recorder = Recorder(with_state=True)
    client = StrictCommunicator(RecordingMiddleware(Counter.as_asgi(), recorder), "/")
    await client.connect()
    for text in "ab":
        await client.send_to(text_data=text)
    await client.leave()
    assert [(one.message["type"], one.state) for one in recorder.events if one.state] == [
        ("scope", {"Counter.total": "0"}),
        ("websocket.connect", {"count": "0"}),
        ("websocket.receive", {"count": "1", "Counter.total": "1"}),
        ("websocket.receive", {"count": "2", "Counter.total": "2"}),
        ("websocket.disconnect", {"count": None}),
    ]


LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


class Ticker(AsyncConsumer):
    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        self.task = asyncio.create_task(self.tick())

    async def tick(self):
        await self.send({"type": "websocket.send", "text": "tick"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


@pytest.mark.parametrize("consumer", [Counter, Ticker])
async def test_an_event_has_the_line_that_sent_it_in_a_thread_and_in_a_task_too(consumer):
    recorder = Recorder(with_state=True)
    client = StrictCommunicator(RecordingMiddleware(consumer.as_asgi(), recorder), "/")
    await client.connect()
    await client.leave()
    sent = [event for event in recorder.events if event.direction == "out"]
    assert sent
    for event in sent:
        assert f'"{event.message["type"]}"' in LINES[event.line - 1]


async def test_an_event_names_its_handler_although_a_middleware_has_read_its_type():
    async def middleware(scope, receive, send):
        async def read():
            event = await receive()
            assert event["type"]
            return event

        await Ticker.as_asgi()(scope, read, send)

    async with StrictCommunicator(middleware, "/ws/") as client:
        await client.connect()
    _, connect, *_ = client.transcript
    assert (connect.message["type"], connect.handler) == ("websocket.connect", "websocket_connect")


class Empty(SyncConsumer):
    """Sets no attribute."""


def test_values_are_short_literals_and_objects_are_their_type():
    consumer = Empty()
    consumer.task = asyncio.Event()
    consumer.frames = deque(range(100))
    consumer.text = "x" * 1000
    consumer.data = b"\x00" * 1000
    consumer.room = {"name": "lobby", "open": None}
    assert attributes_of(consumer) == {
        "task": "<Event>",
        "frames": "deque([0, 1, 2, 3, 4, 5, ...])",
        "text": "'" + "x" * 27 + "..." + "x" * 28 + "'",
        "data": repr(b"\x00" * 57 + b"..."),
        "room": "{'name': 'lobby', 'open': None}",
    }


def test_what_channels_sets_is_left_out():
    consumer = Empty()
    consumer.scope = consumer.channel_name = "x"
    assert attributes_of(consumer) == {}


async def test_a_recorder_redacts_messages_and_state():
    def redact(values):
        return {name: "***" if name in ("count", "text") else it for name, it in values.items()}

    recorder = Recorder(with_state=True, redact=redact)
    client = StrictCommunicator(RecordingMiddleware(Counter.as_asgi(), recorder), "/")
    await client.connect()
    await client.send_to(text_data="s3cret")
    await client.leave()
    shown = [(one.message.get("text"), one.state) for one in recorder.events]
    assert (None, {"count": "***"}) in shown
    assert "s3cret" not in str(shown)
