"""Lesson 11, Pager: a consumer with a channel, and a view and a command that send to it."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from layers_demo.consumers import Pager
from layers_demo.paging import InvalidChannel, send_page

PATH = "/ws/layers/channel/"


async def connect_stock_client():
    """Return a connected client and the channel that its consumer sends."""
    client = WebsocketCommunicator(Pager.as_asgi(), PATH)
    assert await client.connect() == (True, None)
    return client, await client.receive_from()


def test_a_message_to_the_channel_reaches_this_client_only():
    async def conversation():
        first, _ = await connect_stock_client()
        second, channel = await connect_stock_client()
        await get_channel_layer().send(channel, {"type": "pager.message", "text": "tea"})
        assert await second.receive_from() == "page: tea"
        assert await first.receive_nothing()
        await first.disconnect()
        await second.disconnect()

    async_to_sync(conversation)()


def test_sync_code_sends_to_a_client():
    async def conversation():
        client, channel = await connect_stock_client()
        await sync_to_async(send_page)(channel, "tea")
        assert await client.receive_from() == "page: tea"
        await sync_to_async(send_page)(channel, "x" * 2**21)
        assert await client.receive_from() == f"page: {'x' * 1000}"
        await client.disconnect()

    async_to_sync(conversation)()


def test_sync_code_rejects_a_name_that_is_not_the_channel_of_a_connection():
    for name in ("", "some-worker", "specific.a!b!c"):
        with pytest.raises(InvalidChannel):
            send_page(name, "tea")


def test_a_misspelt_type_ends_the_receiver_and_the_sender_notices_nothing():
    async def conversation():
        client, channel = await connect_stock_client()
        await get_channel_layer().send(channel, {"type": "pager.massage"})
        with pytest.raises(ValueError, match="No handler for message type pager"):
            await client.wait()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator hides a missing StopConsumer and does not record the calls of the layer.
# The view and the command also need the URLs and the settings of this project.
import re
from io import StringIO

from channels.routing import URLRouter
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from layers_demo.routing import websocket_urlpatterns
from lessons.workshop.judge import StrictCommunicator

FORM = "/layers/pager/"


def new_client():
    return StrictCommunicator(Pager.as_asgi(), PATH)


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def enter(client):
    """Connect. Return the channel that the consumer sends."""
    assert await client.connect() == (True, None)
    address = await client.receive_from()
    client.expect()
    return address


def events_in(client, lane):
    return [
        (event.direction, event.message["type"], event.handler)
        for event in client.transcript
        if event.lane == lane
    ]


async def test_a_text_goes_through_the_layer():
    async with new_client() as client:
        await enter(client)
        await client.send_to(text_data="tea")
        client.expect(text_frame("page: tea"))
        assert events_in(client, "layer") == [
            ("out", "send", "websocket_receive"),
            ("in", "pager.message", "pager_message"),
        ]


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"tea"}])
async def test_a_frame_without_text_is_ignored(frame):
    async with new_client() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect()
        assert events_in(client, "layer") == []


@pytest.mark.parametrize("code", [1000, 1001, None])
async def test_stops_when_the_client_leaves(code):
    async with new_client() as client:
        await enter(client)
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)


# Sync code that sends


async def post_form(**fields):
    """Post the form like a browser. Return the status and the text of the response."""
    browser = AsyncClient(enforce_csrf_checks=True)
    form = (await browser.get(FORM)).content.decode()
    key = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
    answer = await browser.post(FORM, {"csrfmiddlewaretoken": key, **fields})
    assert answer["Content-Type"] == "text/plain"
    return answer.status_code, answer.content.decode()


async def test_the_view_pages_a_client():
    async with new_client() as client:
        address = await enter(client)
        assert await post_form(channel=address, text="<tea>") == (200, "Sent.")
        assert await client.receive_from() == "page: <tea>"
        client.expect()


async def test_the_view_rejects_a_post_from_another_site():
    async with new_client() as client:
        fields = {"channel": await enter(client), "text": "tea"}
        answer = await AsyncClient(enforce_csrf_checks=True).post(FORM, fields)
        assert answer.status_code == 403
        client.expect()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
async def test_the_view_allows_only_get_and_post(method):
    assert (await getattr(AsyncClient(), method)(FORM)).status_code == 405


INVALID_CHANNELS = [
    *("", "someone", "some-worker", "a!1", "specific"),
    *("specific. one!1", "specific.a!b!c", "specific.é", "specific." + "x" * 100),
]


@pytest.mark.parametrize("channel", INVALID_CHANNELS)
async def test_the_view_rejects_an_invalid_channel(layer, channel):
    assert await post_form(channel=channel, text="tea") == (400, "No consumer has this channel.")
    assert layer.channels == {}


async def test_the_view_reports_a_full_channel(layer):
    for _ in range(layer.capacity):
        await layer.send("specific.check!9", {"type": "pager.message", "text": ""})
    assert await post_form(channel="specific.check!9", text="") == (503, "The channel is full.")


async def run_command(*arguments):
    """Run the command. Return its output."""
    output = StringIO()
    await sync_to_async(call_command)("page", *arguments, stdout=output)
    return output.getvalue()


async def test_the_command_pages_a_client():
    async with new_client() as client:
        address = await enter(client)
        assert await run_command(address, "tea is ready") == "Sent.\n"
        assert await client.receive_from() == "page: tea is ready"


async def test_the_command_rejects_an_invalid_channel():
    with pytest.raises(CommandError, match="No consumer has this channel"):
        await run_command("someone", "tea")


async def test_the_command_reports_a_full_channel(layer):
    for _ in range(layer.capacity):
        await layer.send("specific.check!9", {"type": "pager.message", "text": ""})
    with pytest.raises(CommandError, match="The channel is full"):
        await run_command("specific.check!9", "tea")


def test_the_command_sends_to_the_layer_of_its_process(layer):
    """As in `manage.py page`: only the call itself starts an event loop."""
    call_command("page", "specific.check!9", "tea", stdout=StringIO())
    assert list(layer.channels) == ["specific.check!9"]
