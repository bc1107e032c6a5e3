"""Idioms of Channels 1, 2 and 3 in old tutorials no longer work."""

import importlib

import channels.exceptions
import channels.middleware
import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.core.management import CommandError, call_command
from django.urls import path

from sync_demo.consumers import Echo

REMOVED = [
    # Channels 1
    "channels.Group",
    "channels.Channel",
    "channels.routing.route",
    "channels.sessions.channel_session",
    "channels.auth.channel_session_user_from_http",
    "channels.binding.websockets.WebsocketBinding",
    "asgi_redis.RedisChannelLayer",
    "asgiref.inmemory.ChannelLayer",
    # Channels 2 and 3
    "channels.http.AsgiHandler",
    "channels.management.commands.runserver.Command",
]


@pytest.mark.parametrize("name", REMOVED)
def test_a_name_from_old_tutorials_was_removed(name):
    module, _, attribute = name.rpartition(".")
    with pytest.raises((ImportError, AttributeError)):
        getattr(importlib.import_module(module), attribute)


def test_a_channel_layer_with_routing_is_rejected(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "x", "ROUTING": "mysite.routing"}}
    with pytest.raises(ValueError, match="ROUTING key found for default"):
        get_channel_layer()


def test_runworker_requires_channel_names():
    with pytest.raises(CommandError, match="channels"):
        call_command("runworker")


async def test_a_route_without_as_asgi_raises_a_type_error():
    with pytest.raises(TypeError, match=r"Echo\(\) takes no arguments"):
        await URLRouter([path("", Echo)])({"type": "websocket", "path": "/"}, None, None)


async def test_a_middleware_is_called_with_scope_receive_and_send():
    seen = []

    class Seen(channels.middleware.BaseMiddleware):
        async def __call__(self, scope, receive, send):
            seen.append(scope["path"])
            await super().__call__({**scope, "seen": True}, receive, send)

    assert await WebsocketCommunicator(Seen(Echo.as_asgi()), "/a/").connect() == (True, None)
    assert seen == ["/a/"]
