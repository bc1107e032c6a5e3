"""The page with the events of a project, for runserver."""

import json
import sys

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import channel_layers
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.core.exceptions import ImproperlyConfigured

from lessons.workshop.engine.recording.layer import RecordingLayer
from lessons.workshop.engine.recording.page import EventPage, record

kept_layer = None


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data):
        await self.send(text_data)


@pytest.fixture(autouse=True)
def own_layers(monkeypatch):
    """A page replaces the layers of the process: those of other tests stay as they are."""
    monkeypatch.setattr(channel_layers, "backends", {})


@pytest.fixture
def page():
    return EventPage(Echo.as_asgi())


async def get(page, path, host=b"localhost:8000", client="127.0.0.1"):
    request = HttpCommunicator(page, "GET", f"/__events__/{path}", headers=[(b"host", host)])
    request.scope["client"] = [client, 50000]
    return await request.get_response()


async def events(page, after=0):
    return json.loads((await get(page, f"events.json?after={after}"))["body"])


async def connect(page, **more):
    client = WebsocketCommunicator(page, "/ws/echo/", **more)
    assert (await client.connect())[0]
    return client


async def test_shows_the_events_of_a_connection(page):
    client = await connect(page)
    await client.send_to("hi")
    assert await client.receive_from() == "hi"
    texts = [event["text"] for event in (await events(page))["events"]]
    assert texts[-2:] == ['websocket.receive  text: "hi"', 'websocket.send  text: "hi"']
    await client.disconnect()


def test_records_a_layer_that_a_module_has_kept(monkeypatch):
    monkeypatch.setitem(globals(), "kept_layer", channel_layers["default"])
    monkeypatch.setitem(sys.modules, "blocked", None)  # as Python has it for some imports
    EventPage(Echo.as_asgi())
    assert kept_layer is channel_layers["default"]
    assert isinstance(kept_layer, RecordingLayer)


async def test_sends_each_event_once(page):
    client = await connect(page)
    first = await events(page)
    await client.disconnect()
    rest = await events(page, after=first["last"])
    assert [it["message"]["type"] for it in rest["events"]] == ["websocket.disconnect", "finished"]


async def test_begins_again_for_a_page_that_was_open_before_a_restart(page):
    await (await connect(page)).disconnect()
    assert await events(page, after=10_000) == await events(page)


async def test_hides_cookies(page):
    client = await connect(page, headers=[(b"cookie", b"sessionid=secret"), (b"origin", b"a")])
    assert b"secret" not in (await get(page, "events.json"))["body"]
    await client.disconnect()


@pytest.mark.parametrize("name", ["", "diagram/diagram.js", "common/dom.js", "common/colours.css"])
async def test_serves_the_diagram_of_the_course(page, name):
    assert (await get(page, name))["status"] == 200


async def test_serves_no_other_file(page):
    assert (await get(page, "../page.py"))["status"] == 404


@pytest.mark.parametrize(
    "other", [{"client": "192.0.2.7"}, {"host": b"evil.test"}], ids=["machine", "name"]
)
async def test_another_machine_or_name_may_not_read(page, other):
    assert (await get(page, "events.json", **other))["status"] == 403


def test_is_off_without_the_variable(monkeypatch):
    monkeypatch.delenv("CHANNELS_RECORD", raising=False)
    application = Echo.as_asgi()
    assert record(application) is application


def test_refuses_to_record_without_debug(monkeypatch, settings):
    monkeypatch.setenv("CHANNELS_RECORD", "1")
    settings.DEBUG = False
    with pytest.raises(ImproperlyConfigured, match="it needs DEBUG = True"):
        record(Echo.as_asgi())
