"""Lesson 26: code without a socket puts a text on a board, and the clients of this board see it.

The text is in the database. A message through the channel layer only says: look.
"""

import time
from io import StringIO
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.core.management import call_command

from layers_demo.asgi import application
from layers_demo.models import Notice
from layers_demo.noticeboard import put_up

pytestmark = pytest.mark.django_db(transaction=True)


def new_reader(board):
    return WebsocketCommunicator(application, f"/ws/layers/outside/{board}/")


async def connect(board=1):
    reader = new_reader(board)
    assert await reader.connect() == (True, None)
    return reader


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The seconds that put_up() has slept. In these tests, a sleep takes no time."""
    monkeypatch.setattr(time, "sleep", (pauses := []).append)
    return pauses


def outage(failures):
    results = [ConnectionError("Error 111")] * failures + [None]
    return mock.patch.object(get_channel_layer(), "group_send", side_effect=results)


async def test_a_reader_sees_each_text_that_sync_code_puts_up_on_its_board():
    reader, other = await connect(board=1), await connect(board=2)
    for text in ("Tea at four", "Cake at five", "Tea at four"):
        assert await sync_to_async(put_up)(1, text) is True
        notice = {"type": "websocket.send", "text": f"notice: {text}"}
        assert await reader.receive_output() == notice
    assert await other.receive_nothing(timeout=0.02)
    await reader.disconnect()
    await other.disconnect()
    assert not {"board-1", "board-2"} & get_channel_layer().groups.keys()


async def test_a_reader_that_comes_later_sees_the_text():
    await sync_to_async(put_up)(1, "Tea at four")
    reader = await connect()
    assert await reader.receive_from() == "notice: Tea at four"
    await reader.disconnect()


async def test_a_message_that_comes_twice_shows_a_text_once():
    reader = await connect()
    await sync_to_async(put_up)(1, "Tea at four")
    await get_channel_layer().group_send("board-1", {"type": "board.changed"})
    assert await reader.receive_from() == "notice: Tea at four"
    assert await reader.receive_nothing(timeout=0.02)
    await reader.disconnect()


async def test_a_frame_of_a_client_has_no_effect():
    reader = await connect()
    await reader.send_to(text_data="hello")
    assert await reader.receive_nothing(timeout=0.02)
    await reader.disconnect()


@pytest.mark.parametrize("board", [Notice.MAX_BOARD + 1, "9" * 120])
async def test_rejects_a_board_that_the_database_cannot_store(board):
    reader = new_reader(board)
    assert await reader.connect() == (False, 1000)
    await reader.disconnect()
    assert f"board-{board}" not in get_channel_layer().groups


def test_a_board_has_one_text_of_at_most_200_characters():
    put_up(Notice.MAX_BOARD, "Tea at four")
    put_up(Notice.MAX_BOARD, "x" * 201)
    assert str(Notice.objects.get()) == f"{Notice.MAX_BOARD}: {'x' * 200}"


@pytest.mark.parametrize("failures", [1, 2])
def test_an_outage_that_ends_is_waited_for(pauses, failures):
    with outage(failures):
        assert put_up(1, "Tea at four") is True
    assert pauses == [0.2, 0.4][:failures]


def test_an_outage_that_does_not_end_loses_no_text(pauses):
    with outage(failures=3):
        assert put_up(1, "Tea at four") is False
    assert sum(pauses) < 1  # the task that has stored the text does not wait for long
    assert Notice.objects.get().text == "Tea at four"


@pytest.mark.parametrize(
    ("failures", "printed"),
    [
        (0, "Stored and sent."),
        (3, "Stored. The channel layer is unreachable: clients see it later."),
    ],
)
def test_the_command_puts_up_a_text_and_reports_an_outage(failures, printed):
    output = StringIO()
    with outage(failures):
        call_command("notice", "1", "Tea at four", stdout=output)
    assert output.getvalue() == f"{printed}\n"
