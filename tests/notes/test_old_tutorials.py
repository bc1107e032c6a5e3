"""Idioms of Channels 1, 2 and 3 in old tutorials no longer work."""

import importlib

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.core.management import CommandError, call_command
from django.urls import path

from sync_demo.consumers import Echo

REMOVED = [
    # Channels 1
    "channels.Group",
    "channels.Channel",
    "channels.routing.route",
    "channels.sessions.channel_session",
    "asgi_redis.RedisChannelLayer",
    # Channels 2 and 3
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
