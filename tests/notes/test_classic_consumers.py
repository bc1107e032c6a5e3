"""The classic consumers of tutorials send the same frames as their raw twins."""

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.urls import path

from async_demo.generic_http import Length, RawLength
from lessons.extras.classic_chat import AsyncChatConsumer, ChatConsumer, RawChatConsumer


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
