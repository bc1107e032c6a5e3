"""Idioms of Channels 1, 2 and 3 in old tutorials no longer work, and Channels 4 has others."""

import importlib
from pathlib import Path

import channels.consumer
import channels.exceptions
import channels.middleware
import channels_redis
import pytest
from asgiref.sync import async_to_sync
from channels.consumer import SyncConsumer
from channels.layers import get_channel_layer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from channels.testing import WebsocketCommunicator
from daphne.cli import CommandLineInterface
from django.core.management import CommandError, call_command
from django.urls import path

from sync_demo.consumers import Echo
from tests.notes.sample_project.asgi import application
from tests.support.programs.running_program import TEST_TIMEOUT

REMOVED = [
    # Channels 1
    "channels.Group",
    "channels.Channel",
    "channels.asgi.get_channel_layer",
    "channels.routing.route",
    "channels.routing.include",
    "channels.sessions.channel_session",
    "channels.sessions.enforce_ordering",
    "channels.auth.channel_session_user_from_http",
    "channels.auth.http_session_user",
    "channels.handler.AsgiHandler",
    "channels.binding.websockets.WebsocketBinding",
    "channels.generic.websockets.WebsocketConsumer",
    "channels.generic.websockets.WebsocketDemultiplexer",
    "channels.tests.ChannelTestCase",
    "channels.test.HttpClient",
    "asgi_redis.RedisChannelLayer",
    "asgiref.inmemory.ChannelLayer",
    "asgi_ipc.IPCChannelLayer",
    # Channels 2 and 3
    "channels.http.AsgiHandler",
    "channels.staticfiles.StaticFilesHandler",
    "channels.management.commands.runserver.Command",
]


@pytest.mark.parametrize("name", REMOVED)
def test_a_name_from_old_tutorials_was_removed(name):
    module, _, attribute = name.rpartition(".")
    with pytest.raises((ImportError, AttributeError)):
        getattr(importlib.import_module(module), attribute)


CURRENT = [
    "channels.auth.AuthMiddlewareStack",
    "channels.auth.login",
    "channels.consumer.AsyncConsumer",
    "channels.db.database_sync_to_async",
    "channels.generic.websocket.WebsocketConsumer",
    "channels.layers.get_channel_layer",
    "channels.middleware.BaseMiddleware",
    "channels.routing.ProtocolTypeRouter",
    "channels.sessions.SessionMiddlewareStack",
    "channels.testing.WebsocketCommunicator",
    "channels_redis.core.RedisChannelLayer",
    "django.core.asgi.get_asgi_application",
]


@pytest.mark.parametrize("name", CURRENT)
def test_a_current_name_exists(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(importlib.import_module(module), attribute)


def test_a_channel_layer_with_routing_is_rejected(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "x", "ROUTING": "mysite.routing"}}
    with pytest.raises(ValueError, match="ROUTING key found for default"):
        get_channel_layer()


def test_runworker_requires_channel_names():
    with pytest.raises(CommandError, match="channels"):
        call_command("runworker")


def test_daphne_serves_an_application_not_a_layer():
    help_text = " ".join(CommandLineInterface().parser.format_help().split())
    assert "The application to dispatch to as path.to.module:instance.path" in help_text
    assert "--workers" not in help_text


async def test_a_route_without_as_asgi_raises_a_type_error():
    with pytest.raises(TypeError, match="takes no arguments"):
        await URLRouter([path("", Echo)])({"type": "websocket", "path": "/"}, None, None)
    with pytest.raises(TypeError, match="positional argument"):
        Echo()({"type": "websocket"})  # Channels 2: an instance a scope, then two arguments


async def test_http_needs_an_entry_in_the_router():
    with pytest.raises(ValueError, match="No application configured for scope type 'http'"):
        await ProtocolTypeRouter({})({"type": "http"}, None, None)
    assert isinstance(application.application_mapping["channel"], ChannelNameRouter)


async def test_a_middleware_is_called_with_scope_receive_and_send():
    seen = []

    class Seen(channels.middleware.BaseMiddleware):
        async def __call__(self, scope, receive, send):
            seen.append(scope["path"])
            await super().__call__({**scope, "seen": True}, receive, send)

    client = WebsocketCommunicator(Seen(Echo.as_asgi()), "/a/")
    assert await client.connect(TEST_TIMEOUT) == (True, None)
    assert seen == ["/a/"]
    assert not hasattr(channels.middleware.BaseMiddleware, "resolve_scope")


def test_a_sync_consumer_calls_the_layer_through_async_to_sync():
    layer = get_channel_layer()
    assert async_to_sync(layer.new_channel)().startswith("specific.")
    assert issubclass(SyncConsumer, channels.consumer.AsyncConsumer)


def test_some_exceptions_are_never_raised():
    folders = [Path(package.__file__).parent for package in (channels, channels_redis)]
    source = "".join(file.read_text() for folder in folders for file in folder.rglob("*.py"))
    for name in ("RequestAborted", "RequestTimeout", "MessageTooLarge"):
        assert hasattr(channels.exceptions, name)
        assert f"raise {name}" not in source
