"""The state that the recorder adds to events: what a consumer changed in its attributes."""

import asyncio
from collections import deque

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer

from lessons.workshop.engine.recording.consumer_state import attributes_of
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.recorder import Recorder
from lessons.workshop.judge import StrictCommunicator


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


async def states_of(consumer, *steps, with_state=True):
    """(type of the event, its state) for each event that has one."""
    recorder = Recorder(with_state=with_state)
    client = StrictCommunicator(RecordingMiddleware(consumer.as_asgi(), recorder), "/")
    await client.connect()
    for text in steps:
        await client.send_to(text_data=text)
    await client.leave()
    return [(one.message["type"], one.state) for one in recorder.events if one.state]


async def test_an_event_has_what_the_consumer_changed_after_it(monkeypatch):
    monkeypatch.setattr(Counter, "total", 0)
    assert await states_of(Counter, "a", "b") == [
        ("scope", {"Counter.total": "0"}),
        ("websocket.connect", {"count": "0"}),
        ("websocket.receive", {"count": "1", "Counter.total": "1"}),
        ("websocket.receive", {"count": "2", "Counter.total": "2"}),
        ("websocket.disconnect", {"count": None}),
    ]


async def test_a_recorder_without_state_adds_none():
    assert await states_of(Counter, "a", with_state=False) == []


async def test_a_listener_gets_an_event_again_with_its_state():
    recorder, heard = Recorder(keep=False, with_state=True), []
    recorder.listeners.append(lambda event: heard.append((event.seq, event.state)))
    client = StrictCommunicator(RecordingMiddleware(Silent.as_asgi(), recorder), "/")
    await client.connect()
    await client.leave()
    assert heard[:3] == [(1, None), (2, None), (2, {"ready": "True"})]


class Silent(AsyncConsumer):
    """Sets one attribute."""

    async def websocket_connect(self, event):
        self.ready = True
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


def test_values_are_short_literals_and_objects_are_their_type():
    consumer = Silent()
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


def test_secrets_and_what_channels_sets_are_left_out():
    consumer = Silent()
    consumer.scope = consumer.channel_name = "x"
    consumer.ticket = "abc"
    consumer.query = "token=abc&a=1"
    assert attributes_of(consumer) == {"ticket": "[hidden]", "query": "'token=[hidden]&a=1'"}


def test_an_attribute_that_cannot_be_shown_is_its_type():
    class Broken(list):
        def __iter__(self):
            raise RuntimeError

    consumer = Silent()
    consumer.broken = Broken([1])
    assert attributes_of(consumer) == {"broken": "<Broken>"}
