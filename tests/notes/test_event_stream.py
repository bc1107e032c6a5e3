"""Server-sent events from a view: what NOTES.md compares with those of a consumer."""

import pytest
from channels.layers import get_channel_layer
from channels.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.urls import path

from tests.notes.sample_project.views import news
from tests.support.programs.running_program import TEST_TIMEOUT


async def two_parts(request):
    return StreamingHttpResponse(iter([b"one", b"two"]))


urlpatterns = [path("news/", news), path("two-parts/", two_parts)]


@pytest.fixture
def stream(settings):
    """`await stream(path)`: a client that has sent its request."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

    async def open_stream(path, host=b"localhost"):
        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", host)]}
        client = ApplicationCommunicator(ASGIHandler(), scope)
        await client.send_input({"type": "http.request"})
        return client

    return open_stream


async def body(client):
    return (await client.receive_output(TEST_TIMEOUT))["body"]


async def test_a_streaming_view_sends_messages_of_a_group_and_leaves_it(stream):
    client = await stream("/news/")
    assert (await client.receive_output(TEST_TIMEOUT))["status"] == 200
    assert await body(client) == b": connected\n\n"
    layer = get_channel_layer()
    await layer.group_send("news", {"type": "news.new", "title": "Rain"})
    assert await body(client) == b"data: Rain\n\n"
    await client.send_input({"type": "http.disconnect"})
    await client.wait(TEST_TIMEOUT)
    assert layer.groups == {}


async def test_the_middleware_of_django_checks_the_host_of_a_streaming_view(stream):
    client = await stream("/news/", host=b"evil.example.org")
    assert (await client.receive_output(TEST_TIMEOUT))["status"] == 400
    await client.wait(TEST_TIMEOUT)


async def test_a_sync_iterator_is_read_to_its_end_before_the_first_part(stream):
    client = await stream("/two-parts/")
    with pytest.warns(Warning, match="must consume synchronous iterators"):
        await client.wait(TEST_TIMEOUT)
    assert (await client.receive_output(TEST_TIMEOUT))["status"] == 200
