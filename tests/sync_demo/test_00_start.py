"""Lesson 0: asgi.py leads HTTP to Django, and a WebSocket to FirstLine."""

import pytest
from channels.testing import WebsocketCommunicator
from django.core.handlers.asgi import ASGIHandler

from sync_demo.asgi import application

PATH = "/ws/sync/start/"


async def test_a_websocket_reaches_the_consumer():
    client = WebsocketCommunicator(application, PATH)
    assert await client.connect() == (True, None)
    assert await client.receive_from() == "The line is open."
    await client.send_to(text_data="hello")
    assert await client.receive_from() == "I hear you."
    await client.send_input({"type": "websocket.disconnect", "code": 1001})
    await client.wait()
    assert not client.future.cancelled()  # it ended by itself


def test_http_is_left_to_django():
    assert isinstance(application.application_mapping["http"], ASGIHandler)


@pytest.mark.parametrize("path", [PATH.rstrip("/"), f"{PATH}more/", "/ws/"])
async def test_any_other_path_raises(path):
    client = WebsocketCommunicator(application, path)
    with pytest.raises(ValueError, match="No route found for path"):
        await client.wait()
