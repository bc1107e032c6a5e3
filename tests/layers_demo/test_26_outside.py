"""Lesson 26, Noticeboard: code without a socket stores a text, and clients see it."""

import time

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path

from layers_demo.models import Notice
from layers_demo.noticeboard import Noticeboard, put_up

DATABASE = pytest.mark.django_db(transaction=True)
APPLICATION = URLRouter([path("boards/<int:number>/", Noticeboard.as_asgi())])


async def new_reader(board=1):
    client = WebsocketCommunicator(APPLICATION, f"boards/{board}/")
    assert await client.connect() == (True, None)
    return client


class NoLayer:
    """The channel layer while Redis is unreachable."""

    def __init__(self, failures):
        self.failures = failures

    async def group_send(self, group, message):
        self.failures -= 1
        if self.failures >= 0:
            raise ConnectionError("Error 111 connecting to localhost:6379.")


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that code has slept."""
    found = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


@DATABASE
def test_a_reader_sees_what_sync_code_puts_up():
    async def conversation():
        first, second = await new_reader(), await new_reader(board=2)
        assert await sync_to_async(put_up)(1, "Tea at four") is True
        assert await first.receive_from() == "notice: Tea at four"
        assert await second.receive_nothing()
        await first.disconnect()
        await second.disconnect()

    async_to_sync(conversation)()


@DATABASE
def test_a_reader_that_comes_later_sees_the_text():
    async def conversation():
        await sync_to_async(put_up)(1, "Tea at four")
        client = await new_reader()
        assert await client.receive_from() == "notice: Tea at four"
        await client.disconnect()

    async_to_sync(conversation)()


@DATABASE
def test_a_message_that_comes_twice_shows_a_text_once():
    async def conversation():
        client = await new_reader()
        await sync_to_async(put_up)(1, "Tea at four")
        await get_channel_layer().group_send("board-1", {"type": "board.changed"})
        assert await client.receive_from() == "notice: Tea at four"
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@DATABASE
@pytest.mark.parametrize("failures", [1, 2])
def test_an_outage_that_ends_is_waited_for(monkeypatch, pauses, failures):
    layer = NoLayer(failures)
    monkeypatch.setattr("layers_demo.noticeboard.get_channel_layer", lambda: layer)
    assert put_up(1, "Tea at four") is True
    assert (pauses, layer.failures) == ([0.2, 0.4][:failures], -1)


@DATABASE
def test_an_outage_that_does_not_end_loses_no_text(monkeypatch, pauses):
    layer = NoLayer(9)
    monkeypatch.setattr("layers_demo.noticeboard.get_channel_layer", lambda: layer)
    assert put_up(1, "Tea at four") is False
    assert (sum(pauses), layer.failures) == (pytest.approx(0.6), 6)
    assert Notice.objects.get().text == "Tea at four"


@DATABASE
def test_a_long_text_is_cut(monkeypatch):
    put_up(1, "x" * 201)
    assert Notice.objects.get().text == "x" * 200


# ── What only the strict communicator sees ──
# The stock communicator stops a consumer only by a disconnect, and lets no other process write
# between two steps of a consumer. The command and the route belong to this project.
from io import StringIO

from django.core.management import call_command

from layers_demo.routing import websocket_urlpatterns
from lessons.workshop.engine.world.channel_layer import fake_redis
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.judge import StrictCommunicator
from tests.support.interleaving import each_point


@pytest.fixture
async def database(layer):
    async with fresh_database() as database:
        yield database


def new_client(board=1):
    return StrictCommunicator(URLRouter(websocket_urlpatterns), f"/ws/layers/outside/{board}/")


def notice(text):
    return {"type": "websocket.send", "text": f"notice: {text}"}


async def enter(client, *texts):
    assert await client.connect() == (True, None)
    client.expect(*map(notice, texts))


async def test_a_reader_sees_each_text_of_its_board(database):
    async with new_client() as client, new_client(2) as other:
        await enter(client)
        await enter(other)
        for text in ("one", "two", "one"):
            assert await database.do(put_up, 1, text)
            client.expect(notice(text))
        await database.do(put_up, 1, "one")
        await database.do(put_up, 2, "three")
        client.expect()
        other.expect(notice("three"))
        assert [str(row) for row in await database.do(lambda: [*Notice.objects.all()])] == [
            *("1: one", "2: three")
        ]


async def test_frames_of_clients_have_no_effect(database):
    async with new_client() as client:
        await enter(client)
        await client.send_to(text_data="hello")
        await client.send_to(bytes_data=b"hello")
        client.expect()


async def test_a_text_is_not_missed_while_a_reader_connects(database):
    rounds = 0

    async def act():
        await database.do_in_other_process(put_up, 1, f"text {rounds}")

    async with interleaving() as moments:
        for _ in each_point(moments, act):
            rounds += 1
            async with new_client() as client:
                await client.connect()
                texts = [message["text"] for message in client.unread]
                client.unread.clear()
                stored = await database.do(Notice.objects.get)
                assert texts[-1] == f"notice: {stored.text}"
                assert len(texts) == len({*texts})
    assert rounds == 6 + 1  # around three steps: join, read, leave


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_a_reader_that_has_left_is_in_no_group(database, layer, end):
    async with new_client() as client:
        await enter(client)
        assert [*layer.groups] == ["board-1"]
        await getattr(client, end)()
    assert not layer.groups


async def test_a_client_of_an_unknown_path_is_in_no_group(layer):
    """The consumer ends before it knows its board."""
    async with StrictCommunicator(Noticeboard.as_asgi(), "/boards/") as client:
        await client.kill()
    assert layer.groups == {}


async def test_a_client_of_the_last_board_is_accepted(database, layer):
    async with new_client(Notice.MAX_BOARD) as client:
        await enter(client)
        assert [*layer.groups] == [f"board-{Notice.MAX_BOARD}"]


@pytest.mark.parametrize("board", [Notice.MAX_BOARD + 1, "9" * 120])
async def test_rejects_a_board_that_the_database_cannot_store(database, layer, board):
    async with new_client(board) as client:
        assert await client.connect() == (False, 1000)
    assert layer.groups == {}


async def run_command(*arguments):
    """Run the command. Return its output."""
    output = StringIO()
    await sync_to_async(call_command)("notice", *arguments, stdout=output)
    return output.getvalue()


async def test_the_command_puts_up_a_text(database):
    async with new_client() as client:
        await enter(client)
        assert await run_command("1", "Tea at four") == "Stored and sent.\n"
        assert await client.receive_from() == notice("Tea at four")["text"]


async def test_the_command_reports_an_outage(database, pauses):
    with fake_redis() as redis:
        redis.stop_all_hosts()
        output = await run_command("1", "Tea at four")
    assert output == "Stored. The channel layer is unreachable: clients see it later.\n"
    assert len(pauses) == 3
