"""The fixture `world`: clients, time, users, layers, the database, and what is refused."""

import _thread
import asyncio
import inspect
import multiprocessing
import os
import sys
import threading
import time
import traceback

import pytest
from asgiref.sync import async_to_sync
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer, WebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.contrib.auth.models import Group, User
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.test import TestCase
from django.urls import path

from lessons.workshop.engine.pytest_plugin.report import ConsumerFault
from lessons.workshop.engine.pytest_plugin.simulation import NotConnected, World

layer_of_import = get_channel_layer()  # as many projects keep it


class Room(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.user = self.scope["user"].get_username() or "nobody"
        self.name = self.scope["url_route"]["kwargs"]["room"]
        if self.name == "closed":
            await self.close()
            return
        await self.accept(subprotocol=(self.scope["subprotocols"] or [None])[0])
        await self.channel_layer.group_add(self.name, self.channel_name)

    async def receive_json(self, content):
        message = {"type": "room.line", "line": f"{self.user}: {content}"}
        await layer_of_import.group_send(self.name, message)

    async def room_line(self, event):
        await self.send_json(event["line"])

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.name, self.channel_name)


class Rows(AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await database_sync_to_async(Group.objects.create)(name=content)
        await self.send_json(await database_sync_to_async(Group.objects.count)())


class SyncRows(WebsocketConsumer):
    def receive(self, text_data):
        Group.objects.create(name=text_data)
        self.send(str(Group.objects.count()))


async def forgotten():
    pass


def fail():
    raise ValueError("no such seat")


def sleep_for_ever():
    while True:
        time.sleep(1)


class Clumsy(AsyncConsumer):
    """Does what the client's text says, each in its own handler's line."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await getattr(self, event["text"])()

    async def raises(self):
        raise ValueError("no such seat")

    async def raises_without_a_text(self):
        raise KeyError({"no": "text"})

    async def closes(self):
        await self.send({"type": "websocket.close", "code": 4000})

    async def sends_after_its_close(self):
        await self.send({"type": "websocket.close", "code": 4000})
        await self.send({"type": "websocket.send", "text": "late"})

    async def waits_and_answers(self):
        await asyncio.sleep(10)
        await self.send({"type": "websocket.send", "text": "now"})

    async def leaves_a_task(self):
        self.task = asyncio.create_task(self.waits_and_answers())

    async def joins_and_stays(self):
        await self.channel_layer.group_add("guests", self.channel_name)

    async def forgets_an_await(self):
        forgotten()

    async def starts_a_failing_task(self):
        self.task = asyncio.create_task(self.raises())

    async def starts_and_drops_a_failing_task(self):
        asyncio.create_task(self.raises())  # noqa: RUF006

    async def sets_a_failing_timer(self, seconds=0):
        asyncio.get_running_loop().call_later(seconds, fail)

    async def sets_a_failing_timer_for_later(self):
        await self.sets_a_failing_timer(5)

    async def blocks(self):
        time.sleep(2)  # noqa: ASYNC251

    async def starts_a_thread(self):
        threading.Thread(target=sleep_for_ever, daemon=True).start()

    async def acts(self):
        done = Clumsy.act()
        if inspect.isawaitable(done):
            await done

    async def uses_a_loop_of_asgiref(self):
        channel = self.channel_name
        message = {"type": "hear"}
        await asyncio.to_thread(async_to_sync(get_channel_layer().send), channel, message)

    async def hear(self, event):
        await self.send({"type": "websocket.send", "text": "heard"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


application = AllowedHostsOriginValidator(
    AuthMiddlewareStack(
        URLRouter(
            [
                path("ws/room/<room>/", Room.as_asgi()),
                path("ws/rows/", Rows.as_asgi()),
                path("ws/sync-rows/", SyncRows.as_asgi()),
                path("ws/clumsy/", Clumsy.as_asgi()),
            ]
        )
    )
)


def line_of(method: str) -> int:
    """The number of the method's first line after its `def`."""
    return getattr(Clumsy, method).__code__.co_firstlineno + 1


# What clients do


def test_members_of_a_group_receive_what_one_of_them_sends(world):
    ada, ben = world.connect("/ws/room/lobby/"), world.connect("/ws/room/lobby/")
    ada.send(json="hi")
    assert ada.received_json == ben.received_json == ["nobody: hi"]


@pytest.mark.django_db
def test_a_user_is_logged_in_through_the_projects_own_middleware(world):
    ada = world.connect("/ws/room/lobby/", user=User.objects.create(username="ada"))
    ada.send(json="hi")
    assert ada.received_json == ["ada: hi"]
    assert world.conversation == 'connect /ws/room/lobby/ as=ada | text "\\"hi\\""'


@pytest.mark.django_db
def test_the_cookies_of_a_browser_are_sent(world, client):
    client.force_login(User.objects.create(username="ben"))
    ben = world.connect("/ws/room/lobby/", browser=client)
    ben.send(json="hi")
    assert ben.received_json == ["ben: hi"]


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, [(b"origin", b"https://evil.test")]],
    ids=["dict", "as for the stock communicator"],
)
def test_a_page_of_another_site_is_rejected(world, headers):
    evil = world.connect("/ws/room/lobby/", headers=headers)
    assert (evil.accepted, evil.closed) == (False, 1006)


def test_the_client_sees_the_chosen_subprotocol(world):
    assert world.connect("/ws/room/lobby/", subprotocols=["v2"]).subprotocol == "v2"


def test_a_client_that_is_not_connected_says_why(world):
    with pytest.raises(NotConnected, match=r"Client 1 .* the server has rejected it"):
        world.connect("/ws/room/closed/").send("hi")
    ben, eve = world.connect("/ws/room/lobby/"), world.connect("/ws/clumsy/")
    ben.leave()
    with pytest.raises(NotConnected, match=r"Client 2 .* it has left"):
        ben.send("hi")
    eve.send("closes")
    with pytest.raises(NotConnected, match=r"Client 3 .* the server has closed it with 4000"):
        eve.send("hi")


@pytest.mark.parametrize("frame", [(), (b"hi",), ({"text": "hi"},)], ids=["none", "bytes", "dict"])
def test_a_frame_of_no_kind_is_refused_with_the_right_calls(world, frame):
    client = world.connect("/ws/room/lobby/")
    with pytest.raises(TypeError, match=r"Write send\('…'\), send\(bytes=b'…'\) or send\(json=…\)"):
        client.send(*frame)


def test_time_passes_only_in_run(world):
    client = world.connect("/ws/clumsy/")
    begun = time.perf_counter()
    client.send("waits_and_answers")
    world.run(seconds=9)
    assert client.received == []
    world.run(seconds=2)
    assert client.received == ["now"]
    assert time.perf_counter() - begun == pytest.approx(11)  # the test reads the world's clock, too


def test_a_test_may_send_through_the_layer_itself(world):
    client = world.connect("/ws/room/lobby/")
    message = {"type": "room.line", "line": "news"}
    async_to_sync(get_channel_layer().group_send)("lobby", message)
    world.call(layer_of_import.group_send, "lobby", message)
    assert client.received_json == ["news", "news"]


def test_async_to_sync_in_a_thread_of_the_consumer_reaches_the_layer(world):
    client = world.connect("/ws/clumsy/")
    client.send("uses_a_loop_of_asgiref")
    assert client.received == ["heard"]


# The database of the test


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/ws/rows/", "/ws/sync-rows/"])
def test_issues_2007_2043_1225_clients_see_the_rows_of_the_tests_transaction(world, url):
    Group.objects.create(name="of the test")
    first, second = world.connect(url), world.connect(url)
    first.send('"news"')
    second.send('"more"')
    assert (first.received, second.received) == (["2"], ["3"])
    assert Group.objects.count() == 3


@pytest.mark.django_db
def test_issue_2118_channels_cannot_close_the_connection_of_the_test(world):
    client = world.connect("/ws/rows/")
    client.send('"news"')
    client.leave()
    assert connection.in_atomic_block
    assert connection.is_usable()


class RowsOfAClass(TestCase):
    @pytest.fixture(autouse=True)
    def _world(self, world):
        self.world = world

    def test_a_class_of_django_has_a_world_with_its_rows(self):
        Group.objects.create(name="of the test")
        client = self.world.connect("/ws/rows/")
        client.send('"news"')
        assert client.received == ["2"]


@pytest.fixture
def opened():
    """The connections to the database that are opened from now on."""
    found = []

    def note(connection, **kwargs):
        found.append(connection)

    connection_created.connect(note)
    yield found
    connection_created.disconnect(note)
    for one in found:
        one.inc_thread_sharing()
        one.close()


@pytest.mark.django_db(transaction=True)
def test_issues_2007_2118_no_connection_of_a_consumer_outlives_a_test_with_transactions(opened):
    Group.objects.create(name="of the test")
    with World(application, uses_database=True) as world:
        client = world.connect("/ws/rows/")
        client.send('"news"')
        assert client.received == ["2"]
        world.finish()
    others = [it for it in opened if it is not connections["default"]]
    assert others
    assert [it for it in others if it.connection is not None] == []


# What is wrong


@pytest.mark.parametrize(
    ("act", "diagnosis"),
    [
        ("raises", "exception"),
        ("raises_without_a_text", "exception"),
        ("forgets_an_await", "never-awaited"),
        ("blocks", "blocked-loop"),
    ],
)
def test_a_fault_raises_where_the_client_acts_and_names_the_line(world, act, diagnosis):
    client = world.connect("/ws/clumsy/")
    with pytest.raises(ConsumerFault) as raised:
        client.send(act)
    finding = raised.value.finding
    assert (finding.diagnosis, finding.file, finding.line) == (diagnosis, __file__, line_of(act))


def test_what_daphne_refuses_raises_in_the_consumer(world):
    client = world.connect("/ws/clumsy/")
    with pytest.raises(ConsumerFault, match="An event was sent after the close") as raised:
        client.send("sends_after_its_close")
    assert raised.value.finding.line == line_of("sends_after_its_close") + 1
    *_, (frame, _) = traceback.walk_tb(raised.value.__cause__.__traceback__)
    assert frame.f_code.co_name == "sends_after_its_close"


@pytest.mark.parametrize(
    ("act", "line"),
    [
        ("starts_a_failing_task", line_of("raises")),
        ("starts_and_drops_a_failing_task", line_of("raises")),
        ("sets_a_failing_timer", fail.__code__.co_firstlineno + 1),
    ],
)
def test_an_exception_that_no_code_awaits_is_a_fault(world, act, line):
    client = world.connect("/ws/clumsy/")
    with pytest.raises(ConsumerFault, match="An exception ended a task") as raised:
        client.send(act)
    assert raised.value.finding.line == line


@pytest.mark.parametrize(
    ("act", "diagnosis", "line"),
    [
        ("leaves_a_task", "task-left-behind", line_of("waits_and_answers")),
        ("joins_and_stays", "group-leak", None),
        ("sets_a_failing_timer_for_later", "task-died", fail.__code__.co_firstlineno + 1),
        ("starts_a_thread", "thread-left-behind", sleep_for_ever.__code__.co_firstlineno + 2),
    ],
)
def test_what_is_left_behind_is_a_fault_at_the_end(world, act, diagnosis, line):
    world.connect("/ws/clumsy/").send(act)
    with pytest.raises(ConsumerFault) as raised:
        world.finish()
    assert raised.value.finding.diagnosis == diagnosis
    assert line in (None, raised.value.finding.line)


REFUSED = [
    (lambda: asyncio.open_connection("127.0.0.1", 9), "has no network"),
    (lambda: asyncio.start_server(fail, "127.0.0.1", 0), "has no network"),
    (lambda: asyncio.to_thread(lambda: asyncio.run(asyncio.sleep(0))), "has one event loop"),
    # The first act of every loop, also of uvloop and trio, which asyncio does not know.
    (lambda: sys.set_asyncgen_hooks(None, None), "has one event loop"),
    (lambda: _thread.start_new_thread(sleep_for_ever, ()), "controls the threads of threading"),
    (lambda: multiprocessing.Process(target=sleep_for_ever).start(), "has one process"),
    (lambda: os.fork() or os._exit(0), "has one process"),
]


@pytest.mark.parametrize(("act", "reason"), REFUSED)
def test_refuses_what_it_cannot_simulate(world, monkeypatch, act, reason):
    monkeypatch.setattr(Clumsy, "act", act, raising=False)
    with pytest.raises(ConsumerFault, match=f"NotSimulated: The simulated world {reason}"):
        world.connect("/ws/clumsy/").send("acts")
