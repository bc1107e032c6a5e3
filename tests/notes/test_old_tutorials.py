"""Idioms of Channels 1, 2 and 3 in old tutorials no longer work."""

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.core.management import CommandError, call_command
from django.urls import path

from sync_demo.consumers import Echo


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
