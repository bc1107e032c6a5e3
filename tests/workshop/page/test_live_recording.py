"""Recording in the running workshop: which events reach a page's feed, and who may open it."""

import pytest
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.urls import path

from lessons.workshop.page.live.event_forwarder import MAX_OLDEST
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.page.live.recording import record_page_clients
from sync_demo.consumers import Echo
from tests.support.page_client import SESSION as MINE
from tests.support.page_client import client

pytestmark = pytest.mark.django_db  # Channels closes old database connections
THEIRS = "their0session0key"


class Flood(AsyncConsumer):
    """Sends more events than may wait, and never yields to the event loop."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        for number in range(3 * MAX_OLDEST):
            await self.send({"type": "websocket.send", "text": str(number)})

    async def websocket_disconnect(self, event):
        raise StopConsumer


@pytest.fixture
def application(page_layers):
    routes = [path("ws/echo/", Echo.as_asgi()), path("ws/flood/", Flood.as_asgi())]
    return record_page_clients(URLRouter(routes))


@pytest.fixture
def feed_id():
    return new_feed_id(MINE)


async def test_a_flood_drops_whole_events_but_not_its_end(application, feed_id):
    feed = await client(application, f"/ws/feed/{feed_id}/").open()
    page = client(application, f"/watched/{feed_id}/client=1/ws/flood/")
    await page.send_input({"type": "websocket.connect"})
    # The disconnect waits while the flood is sent.
    await page.send_input({"type": "websocket.disconnect", "code": 1000})
    received = [await feed.receive_json_from()]
    while received[-1]["events"][-1]["message"].get("type") != "finished":
        received.append(await feed.receive_json_from())
    numbers = [event["seq"] for batch in received for event in batch["events"]]
    recorded = 3 * MAX_OLDEST + 5  # scope, connect, accept, the flood, disconnect, finished
    assert numbers == sorted(set(numbers))
    assert len(numbers) < recorded
    assert received[-1]["recorded"] == recorded
    # A batch reports a gap only when the missing events can no longer arrive.
    known = 0
    for batch in received:
        assert batch["events"][0]["seq"] > known
        known = batch["recorded"]
    await feed.disconnect()


# Who may open a feed


@pytest.mark.parametrize(
    "session, changes", [(THEIRS, ""), (None, ""), ("", ""), (MINE + "x", ""), (MINE, "x")]
)
async def test_rejects_another_session_and_an_invented_id(page_layers, feed_id, session, changes):
    async def not_to_be_called(scope, receive, send):
        raise AssertionError("the lesson's consumer ran")

    application = record_page_clients(not_to_be_called)
    feed_id += changes
    for place in (f"/watched/{feed_id}/client=1/ws/echo/", f"/ws/feed/{feed_id}/"):
        rejected = client(application, place, session=session)
        assert await rejected.connect() == (False, 1000)
        await rejected.disconnect()


async def test_a_leaked_nonce_leads_to_another_feed(application, feed_id, monkeypatch):
    """The secret key of a local workshop is public, so anyone can sign a leaked nonce."""
    nonce = feed_id.partition(".")[0]
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: nonce)
    forged = new_feed_id(THEIRS)
    spy = await client(application, f"/ws/feed/{forged}/", session=THEIRS).open()
    page = await client(application, f"/watched/{feed_id}/client=1/ws/echo/").open()
    await page.disconnect()
    assert await spy.receive_nothing()
    await spy.disconnect()
