"""Recording in the running workshop: what reaches a page's feed, and who may listen."""

import json
import os
import threading

import pytest
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import channel_layers
from channels.routing import URLRouter
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.conf import settings as project
from django.db.backends.signals import connection_created
from django.urls import path

from lessons.core.catalogue import PROJECT_DIR
from lessons.web.live.event_forwarder import MAX_OLDEST
from lessons.web.live.page_socket import new_feed_id
from lessons.web.live.recording import record_page_clients
from lessons.wire.layer import RecordingLayer
from sync_demo.consumers import Echo
from tests.support.programs.processes import run

PATIENCE = 30  # seconds, only ever spent by a test that fails
MINE, THEIRS = "my0session0key", "their0session0key"


class Flood(AsyncConsumer):
    """Sends more than may wait, and never once lets the loop turn meanwhile."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        for number in range(3 * MAX_OLDEST):
            await self.send({"type": "websocket.send", "text": str(number)})

    async def websocket_disconnect(self, event):
        raise StopConsumer


class Slow(SyncConsumer):
    """Holds the one thread of all sync handlers until the test lets it go."""

    released = threading.Event()

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})
        self.released.wait(PATIENCE)

    def websocket_disconnect(self, event):
        raise StopConsumer


class Teller(AsyncConsumer):
    """Uses the channel layer, then fails."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add("room", self.channel_name)
        raise ValueError("no such room")


async def bare(scope, receive, send):
    """Answers with the scope that it got."""
    await receive()
    await send({"type": "websocket.accept"})
    raw = scope.get("raw_path")
    await send({"type": "websocket.send", "text": f"{scope['path']} {raw}"})


ROUTES = [
    path("ws/echo/", Echo.as_asgi()),
    path("ws/flood/", Flood.as_asgi()),
    path("ws/slow/", Slow.as_asgi()),
    path("ws/teller/", Teller.as_asgi()),
    path("ws/bare/", bare),
]


@pytest.fixture(autouse=True)
def layers(settings):
    """Fresh ones, which go again with the recorder before them."""
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": memory, "wire": {**memory, "CONFIG": {"capacity": 9999}}}
    settings.ALLOWED_HOSTS = ["localhost"]
    yield
    connection_created.disconnect(dispatch_uid="lessons.wire")


@pytest.fixture
def application():
    return record_page_clients(URLRouter(ROUTES))


@pytest.fixture
def feed_id():
    return new_feed_id(MINE)


def client(application, path, session=MINE, origin="http://localhost"):
    headers = [(b"origin", origin.encode())]
    if session:
        cookie = f"theme=dark; {project.SESSION_COOKIE_NAME}={session}"
        headers.append((b"cookie", cookie.encode()))
    return WebsocketCommunicator(application, path, headers=headers)


async def opened(application, path, **kwargs):
    visitor = client(application, path, **kwargs)
    assert await visitor.connect(timeout=PATIENCE) == (True, None)
    return visitor


async def open_feed(application, feed_id):
    return await opened(application, f"/ws/feed/{feed_id}/")


async def batches(feed, until):
    """What the feed sends, up to the batch with an event of type `until`."""
    received = []
    while not received or until not in [
        event["message"].get("type") for event in received[-1]["events"]
    ]:
        received.append(json.loads(await feed.receive_from(timeout=PATIENCE)))
    return received


async def told(feed, until="finished"):
    return [event for batch in await batches(feed, until) for event in batch["events"]]


def lines(events):
    return [(event["direction"], event["message"]["type"], event["handler"]) for event in events]


# What a page hears


async def test_a_feed_tells_each_event_in_order_with_its_handler(application, feed_id):
    feed = await open_feed(application, feed_id)
    page = await opened(application, f"/watched/{feed_id}/client=1/ws/echo/")
    await page.send_to(bytes_data=b"\x00\xff")
    assert await page.receive_from(timeout=PATIENCE) == b"\x00\xff"
    await page.disconnect(code=4001)
    events = await told(feed)
    assert lines(events) == [
        ("in", "scope", None),
        ("in", "websocket.connect", "websocket_connect"),
        ("out", "websocket.accept", "websocket_connect"),
        ("in", "websocket.receive", "websocket_receive"),
        ("out", "websocket.send", "websocket_receive"),
        ("in", "websocket.disconnect", "websocket_disconnect"),
        ("mark", "finished", "websocket_disconnect"),
    ]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert events[4]["message"]["bytes"] == {"bytes": "00ff"}
    assert events[5]["message"]["code"] == 4001
    assert {event["connection"] for event in events} == {events[0]["connection"]}
    await feed.disconnect()


async def test_layer_calls_and_exceptions_are_told_too(application, feed_id):
    feed = await open_feed(application, feed_id)
    page = client(application, f"/watched/{feed_id}/client=1/ws/teller/")
    await page.send_input({"type": "websocket.connect"})
    events = await told(feed, until="raised")
    assert ("out", "group_add", "websocket_connect") in lines(events)
    assert events[-1]["message"]["error"] == "ValueError: no such room"
    with pytest.raises(ValueError, match="no such room"):
        await page.wait()
    await feed.disconnect()


async def test_the_cookie_never_reaches_a_feed(application, feed_id):
    feed = await open_feed(application, feed_id)
    page = await opened(application, f"/watched/{feed_id}/client=1/ws/echo/?token=hush")
    await page.disconnect()
    heard = json.dumps(await told(feed))
    assert MINE not in heard
    assert MINE.encode().hex() not in heard
    assert b"hush".hex() not in heard
    await feed.disconnect()


async def test_the_consumer_sees_the_scope_of_a_direct_connection(application, feed_id):
    page = client(application, f"/watched/{feed_id}/client=1/ws/bare/?a=1")
    page.scope["raw_path"] = f"/watched/{feed_id}/client=1/ws/bare/".encode()
    await page.connect(timeout=PATIENCE)
    assert await page.receive_from(timeout=PATIENCE) == "/ws/bare/ b'/ws/bare/'"
    assert page.scope["query_string"] == b"a=1"
    await page.wait()


async def test_a_flood_drops_whole_events_but_not_its_end(application, feed_id):
    feed = await open_feed(application, feed_id)
    page = client(application, f"/watched/{feed_id}/client=1/ws/flood/")
    await page.send_input({"type": "websocket.connect"})
    await page.send_input({"type": "websocket.disconnect", "code": 1000})  # waits already
    received = await batches(feed, until="finished")
    numbers = [event["seq"] for batch in received for event in batch["events"]]
    recorded = 3 * MAX_OLDEST + 5  # scope, connect, accept, the flood, disconnect, finished
    assert numbers == sorted(set(numbers))
    assert len(numbers) < recorded
    assert received[-1]["recorded"] == recorded
    # Nobody is told of a gap before what fills it can no longer come.
    known = 0
    for batch in received:
        assert batch["events"][0]["seq"] > known
        known = batch["recorded"]
    await feed.disconnect()


async def test_a_handler_that_blocks_the_sync_thread_is_told_of_meanwhile(application, feed_id):
    Slow.released.clear()
    feed = await open_feed(application, feed_id)
    page = client(application, f"/watched/{feed_id}/client=1/ws/slow/")
    await page.send_input({"type": "websocket.connect"})
    try:
        events = await told(feed, until="websocket.accept")
    finally:
        Slow.released.set()
    assert lines(events)[-1] == ("out", "websocket.accept", "websocket_connect")
    assert events[-1]["thread"] != threading.current_thread().name
    await page.disconnect()
    await feed.disconnect()


# Who may listen


@pytest.mark.parametrize("session", [THEIRS, None, "", MINE + "x"])
async def test_an_id_with_another_session_is_refused_and_nothing_runs(feed_id, session):
    async def not_to_be_called(scope, receive, send):
        raise AssertionError("the lesson's consumer ran")

    application = record_page_clients(not_to_be_called)
    for place in (f"/watched/{feed_id}/client=1/ws/echo/", f"/ws/feed/{feed_id}/"):
        visitor = client(application, place, session=session)
        assert await visitor.connect(timeout=PATIENCE) == (False, 1000)
        await visitor.disconnect()


@pytest.mark.parametrize("wrong", ["", "x", ".", "x.y", "no-dot"])
async def test_a_made_up_id_is_refused(application, wrong):
    visitor = client(application, f"/watched/{wrong}/client=1/ws/echo/")
    assert await visitor.connect(timeout=PATIENCE) == (False, 1000)
    await visitor.disconnect()


async def test_an_id_of_another_page_of_the_same_browser_hears_nothing_of_this_one(application):
    here, there = new_feed_id(MINE), new_feed_id(MINE)
    feed = await open_feed(application, there)
    page = await opened(application, f"/watched/{here}/client=1/ws/echo/")
    await page.disconnect()
    assert await feed.receive_nothing()
    await feed.disconnect()


async def test_a_nonce_signed_for_another_session_leads_to_another_feed(
    application, feed_id, monkeypatch
):
    """A local workshop's secret key is known, so a leaked nonce can be signed by anybody."""
    nonce = feed_id.partition(".")[0]
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: nonce)
    forged = new_feed_id(THEIRS)
    spy = await opened(application, f"/ws/feed/{forged}/", session=THEIRS)
    page = await opened(application, f"/watched/{feed_id}/client=1/ws/echo/")
    await page.disconnect()
    assert await spy.receive_nothing()
    await spy.disconnect()


async def test_a_page_of_another_site_gets_no_feed(application, feed_id):
    for feed in (feed_id, "verdicts/03-stop"):
        visitor = client(application, f"/ws/feed/{feed}/", origin="http://evil.example")
        assert await visitor.connect(timeout=PATIENCE) == (False, 1000)
        await visitor.disconnect()


# What is not watched


async def test_anything_else_passes_untouched():
    passed = []

    async def application(*arguments):
        passed.append(arguments)

    route = record_page_clients(application)
    for scope in (
        {"type": "http", "path": "/async/http/"},
        {"type": "lifespan"},
        {"type": "websocket", "path": "/ws/echo/", "headers": []},
    ):
        arguments = (scope, object(), object())
        await route(*arguments)
        assert all(one is other for one, other in zip(passed.pop(), arguments, strict=True))


async def test_a_page_that_nobody_watches_any_more_leaves_no_group(application, feed_id):
    feed = await open_feed(application, feed_id)
    await feed.disconnect()
    assert channel_layers["wire"].groups == {}


def test_the_layer_of_every_alias_is_recorded(settings):
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": memory, "other": memory, "wire": memory}
    record_page_clients(URLRouter(ROUTES))
    recorded = [isinstance(channel_layers[alias], RecordingLayer) for alias in ("default", "other")]
    assert recorded == [True, True]
    assert not isinstance(channel_layers["wire"], RecordingLayer)


async def test_the_layer_is_wrapped_once_however_often_an_application_is_made(application):
    record_page_clients(application)
    assert isinstance(channel_layers["default"], RecordingLayer)
    assert not isinstance(channel_layers["default"].layer, RecordingLayer)
    assert not isinstance(channel_layers["wire"], RecordingLayer)


def test_outside_a_workshop_nothing_records_and_nothing_is_unguarded(tmp_path):
    program = (
        "import sys, lessons.asgi\n"
        "from channels.layers import channel_layers\n"
        "print(type(lessons.asgi.application).__name__)\n"
        "print(type(lessons.asgi.websocket_application).__name__)\n"
        "print(type(channel_layers['default']).__name__)\n"
        "print('lessons.wire' in sys.modules or 'lessons.web.live.recording' in sys.modules)\n"
    )
    environment = os.environ | {"DJANGO_ALLOWED_HOSTS": "example.org", "DJANGO_SECRET_KEY": "x"}
    environment |= {"DJANGO_SETTINGS_MODULE": "lessons.settings", "REDIS_URL": ""}
    environment |= {"PYTHONPATH": str(PROJECT_DIR)}
    (tmp_path / "program.py").write_text(program)
    done = run([tmp_path / "program.py"], cwd=PROJECT_DIR, env=environment)
    assert done.returncode == 0, done.stderr
    served = ["ProtocolTypeRouter", "OriginValidator", "InMemoryChannelLayer"]
    assert done.stdout.split() == [*served, "False"]


# HTTP


async def answer(scope, receive, send):
    """Answers with the path that it got."""
    assert (await receive())["type"] == "http.request"
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def request(path, session):
    cookie = f"{project.SESSION_COOKIE_NAME}={session}".encode()
    return HttpCommunicator(record_page_clients(answer), "GET", path, headers=[(b"cookie", cookie)])


async def test_a_request_is_recorded_for_the_feed_and_meets_the_lessons_own_path(feed_id):
    application = record_page_clients(answer)
    feed = await open_feed(application, feed_id)
    response = await request(f"/watched/{feed_id}/client=1/async/http/", MINE).get_response()
    assert (response["status"], response["body"]) == (200, b"/async/http/")
    told = [event for batch in await batches(feed, "finished") for event in batch["events"]]
    assert [event["message"]["type"] for event in told] == [
        "scope",
        "http.request",
        "http.response.start",
        "http.response.body",
        "finished",
    ]
    await feed.disconnect()


async def test_a_request_for_somebody_elses_feed_is_a_403(feed_id):
    response = await request(f"/watched/{feed_id}/client=1/async/http/", THEIRS).get_response()
    assert (response["status"], response["body"]) == (403, b"")
