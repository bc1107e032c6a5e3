"""The classic consumers of tutorials send the same frames as their raw twins."""

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.urls import path

from async_demo.generic_http import Length, RawLength
from lessons.extras.classic_chat import AsyncChatConsumer, ChatConsumer, RawChatConsumer
from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import error_text


@pytest.mark.parametrize("chat", [ChatConsumer, AsyncChatConsumer, RawChatConsumer])
async def test_each_classic_chat_sends_a_message_to_all_members_and_leaves_its_group(chat):
    router = URLRouter([path("<room_name>/", chat.as_asgi())])
    clients = [WebsocketCommunicator(router, "/lobby/") for _ in "12"]
    for client in clients:
        assert await client.connect() == (True, None)
    await clients[0].send_to(text_data='{"message": "hello"}')
    for client in clients:
        assert await client.receive_from() == '{"message": "hello"}'
        await client.disconnect()
    assert get_channel_layer().groups == {}


@pytest.mark.parametrize("consumer", [Length, RawLength])
async def test_the_http_consumer_and_its_raw_twin_send_the_same_response(consumer):
    client = HttpCommunicator(consumer.as_asgi(), "POST", "/", body=b"hello, world")
    headers = [(b"content-type", b"text/plain")]
    assert await client.get_response() == {"status": 200, "headers": headers, "body": b"12 bytes\n"}


class WithoutBytes(WebsocketConsumer):
    def receive(self, text_data):
        self.send(text_data=text_data)


async def test_a_receive_without_bytes_data_ends_at_the_first_binary_frame():
    client = WebsocketCommunicator(WithoutBytes.as_asgi(), "/")
    assert await client.connect() == (True, None)
    await client.send_to(bytes_data=b"hello")
    with pytest.raises(TypeError, match="unexpected keyword argument 'bytes_data'") as raised:
        await client.wait()
    finding = Finding("exception", raised=error_text(raised.value))
    assert diagnose(finding).diagnosis == "receive-without-bytes"


class Name(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        await self.send(text_data=f"{self.channel_name} {id(self.channel_layer)}")


async def test_connections_share_the_layer_of_the_process_and_each_has_its_own_channel():
    answers = []
    for _ in ("a tab", "the tab after a reload"):
        client = WebsocketCommunicator(Name.as_asgi(), "/")
        await client.connect()
        answers.append((await client.receive_from()).split())
        await client.disconnect()
    assert answers[0][0] != answers[1][0]
    assert {layer for _, layer in answers} == {str(id(get_channel_layer()))}
