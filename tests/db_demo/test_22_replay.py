"""Lesson 22, Logbook: a client that returns with its last id receives exactly what it missed."""

import json

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter

from db_demo.models import Entry
from db_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database
from lessons.simulator.interleaving import interleaving
from tests.support.interleaving import each_point

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close", "code": 4400}


@pytest.fixture(autouse=True)
async def database(layer):
    async with fresh_database() as database:
        yield database


@pytest.fixture
async def moments():
    async with interleaving() as moments:
        yield moments


def new_reader(query=""):
    return StrictCommunicator(URLRouter(websocket_urlpatterns), f"/ws/db/replay/{query}")


async def enter(client, *rows):
    assert await client.connect() == (True, None)
    client.expect(*map(row, rows))


def row(id, text=None):
    frame = json.dumps({"id": id, "text": text or f"line {id}"})
    return {"type": "websocket.send", "text": frame}


async def write(database, *ids):
    rows = [Entry(id=id, text=f"line {id}") for id in ids]
    await database.do_in_other_process(Entry.objects.bulk_create, rows)


async def ring():
    await get_channel_layer().group_send("logbook", {"type": "logbook.bell"})


async def test_a_new_reader_receives_all_lines_in_the_order_of_ids(database):
    await write(database, 4, 2, 9)
    async with new_reader() as client:
        await enter(client, 2, 4, 9)


@pytest.mark.parametrize(
    ("last", "missed"),
    [(0, (1, 2, 4)), (1, (2, 4)), (2, (4,)), (3, (4,)), (4, ()), (999999999999999999, ())],
)
async def test_a_returning_reader_receives_only_newer_lines(database, last, missed):
    await write(database, 1, 2, 4)
    async with new_reader(f"?after={last}") as client:
        await enter(client, *missed)


async def test_a_line_is_saved_and_sent_to_all():
    async with new_reader() as writer, new_reader() as other:
        await enter(writer)
        await enter(other)
        for number, text in enumerate(("cast off", '"ä ☃"'), 1):
            await writer.send_to(text_data=text)
            writer.expect(row(number, text))
            other.expect(row(number, text))
    assert [entry.text async for entry in Entry.objects.order_by("id")] == ["cast off", '"ä ☃"']


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"hi"}])
async def test_a_frame_without_text_is_ignored(frame):
    async with new_reader() as client:
        await enter(client)
        await client.send_to(**frame)
        client.expect()
    assert await Entry.objects.acount() == 0


async def test_a_lost_bell_loses_no_line(database):
    async with new_reader() as client:
        await enter(client)
        await write(database, 1, 2)
        await write(database, 3)
        await ring()
        await client.receive_nothing(0)
        client.expect(row(1), row(2), row(3))


async def test_a_bell_without_a_new_line_sends_nothing(database):
    await write(database, 1)
    async with new_reader() as client:
        await enter(client, 1)
        await ring()
        await ring()
        assert await client.receive_nothing(0)


async def test_each_line_arrives_once_whenever_another_process_writes(database, moments):
    """Another process writes before and after each step of a connect and of a client's line."""
    last = rounds = 0

    async def publish():
        await database.do_in_other_process(Entry.objects.create, text="other")
        await ring()

    for _ in each_point(moments, publish):
        rounds += 1
        async with new_reader(f"?after={last}") as client:
            await client.connect()
            await client.send_to(text_data="mine")
            wanted = [row(e.id, e.text) async for e in Entry.objects.filter(id__gt=last)]
            client.expect(*wanted)
            last = json.loads(wanted[-1]["text"])["id"]
    assert rounds == 12 + 1  # around six steps: join, two reads, save, send, leave


@pytest.mark.parametrize(
    "bad",
    [*("seven", "-1", "1.5", "%C2%B2", "%D9%A3", "7%0A", "9" * 19, "9" * 5000, "%FF", "1,2")],
)
async def test_an_invalid_last_id_closes_with_a_code(bad):
    async with new_reader(f"?after={bad}") as client:
        assert await client.connect() == (True, None)
        client.expect(CLOSE)
        assert client.finished


async def test_a_query_string_in_no_encoding_is_ignored():
    application = URLRouter(websocket_urlpatterns)
    async with StrictCommunicator(application, "/ws/db/replay/") as client:
        client.scope["query_string"] = b"\xff&after=0"
        await enter(client)


async def test_a_text_that_a_rejected_client_sends_is_not_saved():
    async with new_reader("?after=seven") as client:
        client.input_queue.put_nowait({"type": "websocket.connect"})
        client.input_queue.put_nowait({"type": "websocket.receive", "text": "hi"})
        await client.wait()
        client.expect(ACCEPT, CLOSE)
    assert await Entry.objects.acount() == 0


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(end):
    async with new_reader() as client:
        await enter(client)
        await getattr(client, end)()
        assert client.finished
    assert not get_channel_layer().groups


async def test_async_for_has_all_rows_before_the_first(database):
    await write(database, 1, 2, 3)
    rows = Entry.objects.order_by("id")
    async for _ in rows:
        assert len(rows._result_cache) == 3
        break
