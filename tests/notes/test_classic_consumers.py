"""The classic consumers of tutorials exchange the same events as their raw twins."""

import json

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.routing import URLRouter
from channels.testing import ApplicationCommunicator, WebsocketCommunicator
from django.urls import path

from async_demo.generic_http import Length, RawLength
from lessons.extras.classic_chat import AsyncChatConsumer, ChatConsumer, RawChatConsumer
from lessons.workshop.course.diagnoses import recognise

CHATS = [ChatConsumer, AsyncChatConsumer, RawChatConsumer]


class RecordingLayer(InMemoryChannelLayer):
    """A layer that writes down which method was called, with which group and message."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    async def group_add(self, group, channel):
        self.calls.append(("group_add", group))
        await super().group_add(group, channel)

    async def group_send(self, group, message):
        self.calls.append(("group_send", group, message))
        await super().group_send(group, message)

    async def group_discard(self, group, channel):
        self.calls.append(("group_discard", group))
        await super().group_discard(group, channel)


@pytest.fixture
def layer(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.RecordingLayer"}}
    return get_channel_layer()


def chat_client(chat):
    return WebsocketCommunicator(URLRouter([path("<room_name>/", chat.as_asgi())]), "/lobby/")


async def conversation(chat):
    """What one of two members receives, event by event."""
    one, two = chat_client(chat), chat_client(chat)
    for client in (one, two):
        assert await client.connect() == (True, None)
    await one.send_to(text_data=json.dumps({"message": "hello"}))
    received = [await client.receive_output() for client in (one, two)]
    for client in (one, two):
        await client.disconnect()
    return received


@pytest.mark.parametrize("chat", CHATS)
async def test_the_classic_chat_and_its_raw_twin_exchange_the_same_events(chat, layer):
    frame = {"type": "websocket.send", "text": '{"message": "hello"}'}
    assert [
        {key: value for key, value in event.items() if value is not None}
        for event in await conversation(chat)
    ] == [frame, frame]
    assert layer.calls == [
        ("group_add", "chat_lobby"),
        ("group_add", "chat_lobby"),
        ("group_send", "chat_lobby", {"type": "chat.message", "message": "hello"}),
        ("group_discard", "chat_lobby"),
        ("group_discard", "chat_lobby"),
    ]
    assert layer.groups == {}


async def events_of(application, *parts):
    """Every event that answers a POST with these parts of a body."""
    client = ApplicationCommunicator(application, {"type": "http", "method": "POST", "path": "/"})
    for number, part in enumerate(parts, start=1):
        event = {"type": "http.request", "body": part, "more_body": number < len(parts)}
        await client.send_input(event)
    events = [await client.receive_output(), await client.receive_output()]
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    return events


async def test_the_http_consumer_and_its_raw_twin_send_the_same_events():
    answers = [await events_of(one.as_asgi(), b"hello, ", b"world") for one in (Length, RawLength)]
    headers = [(b"content-type", b"text/plain")]
    assert answers[0] == answers[1]
    assert answers[0] == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": b"12 bytes\n", "more_body": False},
    ]


class SyncWithoutBytes(WebsocketConsumer):
    def receive(self, text_data):
        self.send(text_data=text_data)


class AsyncWithoutBytes(AsyncWebsocketConsumer):
    async def receive(self, text_data):
        await self.send(text_data=text_data)


@pytest.mark.parametrize("consumer", [SyncWithoutBytes, AsyncWithoutBytes])
async def test_a_receive_without_bytes_data_ends_at_the_first_binary_frame(consumer):
    client = WebsocketCommunicator(consumer.as_asgi(), "/")
    assert await client.connect() == (True, None)
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "hello"
    await client.send_to(bytes_data=b"hello")
    with pytest.raises(TypeError, match="unexpected keyword argument 'bytes_data'") as raised:
        await client.wait()
    assert recognise(raised.value) == "receive-without-bytes"


async def test_a_process_has_one_layer_and_each_connection_one_channel():
    class Name(AsyncWebsocketConsumer):
        async def connect(self):
            await self.accept()
            await self.send(text_data=f"{self.channel_name} {id(self.channel_layer)}")

    answers = []
    for _ in ("a tab", "another tab", "a tab after a reload"):
        client = WebsocketCommunicator(Name.as_asgi(), "/")
        await client.connect()
        answers.append((await client.receive_from()).split())
        await client.disconnect()
    assert len({channel for channel, _ in answers}) == 3
    assert {layer for _, layer in answers} == {str(id(get_channel_layer()))}
