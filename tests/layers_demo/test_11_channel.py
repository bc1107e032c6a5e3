"""Lesson 11's worked example: a consumer with an address, a view and a command that send to it."""

import re
from io import StringIO

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from layers_demo.consumers import Pager
from layers_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator

PATH = "/ws/layers/channel/"
FORM = "/layers/pager/"


def visitor():
    return StrictCommunicator(Pager.as_asgi(), PATH)


def said(text):
    return {"type": "websocket.send", "text": text}


async def enter(client):
    """Connect; the address that the client is told."""
    assert await client.connect() == (True, None)
    address = await client.receive_from()
    client.expect()
    return address


def crossed(client, lane):
    return [
        (event.direction, event.message["type"], event.handler)
        for event in client.transcript
        if event.lane == lane
    ]


async def test_tells_its_channel_and_hears_what_is_sent_there():
    async with visitor() as client:
        address = await enter(client)
        await get_channel_layer().send(address, {"type": "pager.message", "text": "tea"})
        assert await client.receive_from() == "page: tea"
        client.expect()


async def test_each_client_has_an_address_of_its_own():
    async with visitor() as first, visitor() as second:
        await enter(first)
        await get_channel_layer().send(
            await enter(second), {"type": "pager.message", "text": "tea"}
        )
        assert await second.receive_from() == "page: tea"
        first.expect()


async def test_what_its_client_says_takes_the_way_through_the_layer():
    async with visitor() as client:
        await enter(client)
        await client.send_to(text_data="tea")
        client.expect(said("page: tea"))
        assert crossed(client, "layer") == [
            ("out", "send", "websocket_receive"),
            ("in", "pager.message", "pager_message"),
        ]


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"tea"}])
async def test_a_frame_without_text_is_passed_over(frame):
    async with visitor() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect()
        assert crossed(client, "layer") == []


@pytest.mark.parametrize("code", [1000, 1001, None])
async def test_stops_when_the_client_leaves(code):
    async with visitor() as client:
        await enter(client)
        await client.disconnect(code)
        assert client.finished


async def test_is_routed_at_its_path():
    async with StrictCommunicator(URLRouter(websocket_urlpatterns), PATH) as client:
        await enter(client)


# Sync code that sends


async def posted(**fields):
    """What the view answers to the form, sent as a browser does."""
    browser = AsyncClient(enforce_csrf_checks=True)
    form = (await browser.get(FORM)).content.decode()
    key = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[1]
    answer = await browser.post(FORM, {"csrfmiddlewaretoken": key, **fields})
    assert answer["Content-Type"] == "text/plain"
    return answer.status_code, answer.content.decode()


async def test_the_view_pages_a_client():
    async with visitor() as client:
        address = await enter(client)
        assert await posted(channel=address, text="<tea>") == (200, "Sent.")
        assert await client.receive_from() == "page: <tea>"
        client.expect()


async def test_the_view_takes_no_post_from_another_site():
    async with visitor() as client:
        fields = {"channel": await enter(client), "text": "tea"}
        answer = await AsyncClient(enforce_csrf_checks=True).post(FORM, fields)
        assert answer.status_code == 403
        client.expect()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
async def test_the_view_knows_get_and_post_alone(method):
    assert (await getattr(AsyncClient(), method)(FORM)).status_code == 405


NOBODY = [
    *("", "someone", "some-worker", "a!1", "specific"),
    *("specific. one!1", "specific.a!b!c", "specific.é", "specific." + "x" * 100),
]


@pytest.mark.parametrize("channel", NOBODY)
async def test_the_view_refuses_what_is_no_connections_channel(layer, channel):
    assert await posted(channel=channel, text="tea") == (400, "No consumer has this channel.")
    assert layer.channels == {}


async def test_the_view_says_that_a_channel_is_full(layer):
    for _ in range(layer.capacity):
        await layer.send("specific.check!9", {"type": "pager.message", "text": ""})
    assert await posted(channel="specific.check!9", text="") == (503, "The channel is full.")


async def commanded(*arguments):
    """What the command prints."""
    output = StringIO()
    await sync_to_async(call_command)("page", *arguments, stdout=output)
    return output.getvalue()


async def test_the_command_pages_a_client():
    async with visitor() as client:
        address = await enter(client)
        assert await commanded(address, "tea is ready") == "Sent.\n"
        assert await client.receive_from() == "page: tea is ready"


async def test_the_command_refuses_what_is_no_connections_channel():
    with pytest.raises(CommandError, match="No consumer has this channel"):
        await commanded("someone", "tea")


async def test_the_command_says_that_a_channel_is_full(layer):
    for _ in range(layer.capacity):
        await layer.send("specific.check!9", {"type": "pager.message", "text": ""})
    with pytest.raises(CommandError, match="The channel is full"):
        await commanded("specific.check!9", "tea")


def test_a_command_of_its_own_process_has_a_layer_of_its_own(layer):
    """Nothing runs a loop here, as in `manage.py page`: the call alone makes one."""
    call_command("page", "specific.check!9", "tea", stdout=StringIO())
    assert list(layer.channels) == ["specific.check!9"]
