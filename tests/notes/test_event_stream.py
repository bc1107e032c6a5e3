"""Server-sent events from a view: what NOTES.md compares with those of a consumer."""

import pytest
from channels.layers import get_channel_layer
from channels.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.urls import path

from tests.notes.sample_project.views import news

urlpatterns = [path("news/", news)]


@pytest.fixture
def ask(settings):
    """`await ask(host)`: a client that has asked for the stream."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

    async def client_of(host):
        scope = {"type": "http", "method": "GET", "path": "/news/", "headers": [(b"host", host)]}
        client = ApplicationCommunicator(ASGIHandler(), scope)
        await client.send_input({"type": "http.request"})
        return client

    return client_of


async def test_a_streaming_view_sends_messages_of_a_group_and_leaves_it(ask):
    client = await ask(b"localhost")
    assert (await client.receive_output())["status"] == 200
    assert (await client.receive_output())["body"] == b": connected\n\n"
    layer = get_channel_layer()
    await layer.group_send("news", {"type": "news.new", "title": "Rain"})
    assert (await client.receive_output())["body"] == b"data: Rain\n\n"
    await client.send_input({"type": "http.disconnect"})
    await client.wait()
    assert layer.groups == {}


async def test_the_middleware_of_django_checks_the_host_of_a_streaming_view(ask):
    client = await ask(b"evil.example.org")
    assert (await client.receive_output())["status"] == 400
    await client.wait()
