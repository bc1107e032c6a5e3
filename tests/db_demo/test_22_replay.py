"""Lesson 22, EntryCounter: a message says when to count, and the database says how many."""

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from db_demo.consumers import EntryCounter
from db_demo.models import Entry


def new_client(query=""):
    return WebsocketCommunicator(EntryCounter.as_asgi(), f"/ws/db/replay/{query}")


async def notify():
    await get_channel_layer().group_send("entries", {"type": "entry.saved"})


@pytest.mark.django_db(transaction=True)
def test_a_client_that_returns_receives_what_it_missed():
    async def conversation():
        first, last = [await Entry.objects.acreate(text=text) for text in ("one", "two")]
        client = new_client(f"?after={first.id}")
        await client.connect()
        assert await client.receive_json_from() == {"new": 1, "last": last.id}
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_a_lost_message_loses_no_entry():
    async def conversation():
        client = new_client()
        await client.connect()
        assert await client.receive_json_from() == {"new": 0, "last": None}
        await Entry.objects.acreate(text="its message is lost")
        last = await Entry.objects.acreate(text="its message arrives twice")
        await notify()
        await notify()
        assert await client.receive_json_from() == {"new": 2, "last": last.id}
        assert await client.receive_nothing()
        await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_saved_just_before_the_join_is_not_missed(monkeypatch):
    async def conversation():
        layer = get_channel_layer()
        join = layer.group_add

        async def save_and_join(group, channel):
            await Entry.objects.acreate(text="no client is in the group yet")
            await notify()
            await join(group, channel)

        monkeypatch.setattr(layer, "group_add", save_and_join)
        client = new_client()
        await client.connect()
        assert (await client.receive_json_from())["new"] == 1
        await client.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# The stock communicator stops a consumer only by a disconnect, and lets no other process write
# between two steps of a consumer. The tests below cancel consumers, and write at each step.

import json

from channels.routing import URLRouter
from django.core.exceptions import ValidationError

from db_demo.routing import storing_urlpatterns
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.judge import StrictCommunicator
from tests.support.interleaving import each_point


@pytest.fixture
async def database(layer):
    async with fresh_database() as database:
        yield database


@pytest.fixture
async def moments(database):
    async with interleaving() as moments:
        yield moments


def new_counter(query=""):
    return StrictCommunicator(URLRouter(storing_urlpatterns), f"/ws/db/replay/{query}")


async def enter(client, new, last):
    assert await client.connect() == (True, None)
    client.expect(counts(new, last))


def counts(new, last):
    return {"type": "websocket.send", "text": json.dumps({"new": new, "last": last})}


async def write(database, *ids):
    rows = [Entry(id=id, text=f"entry {id}") for id in ids]
    await database.do_in_other_process(Entry.objects.bulk_create, rows)


@pytest.mark.parametrize(
    ("last", "new", "newest"),
    [(0, 3, 4), (1, 2, 4), (2, 1, 4), (3, 1, 4), (4, 0, None), (999999999999999999, 0, None)],
)
async def test_counts_the_entries_above_the_last_id(database, last, new, newest):
    await write(database, 1, 2, 4)
    async with new_counter(f"?after={last}") as client:
        await enter(client, new, newest)


async def test_each_client_has_its_own_last_id(database):
    await write(database, 1, 2)
    async with new_counter("?after=2") as first, new_counter("?after=1") as second:
        await enter(first, 0, None)
        await enter(second, 1, 2)
        async with new_counter("?after=seven") as third:
            await enter(third, 2, 2)
        await write(database, 3)
        await notify()
        assert await first.receive_from() == counts(1, 3)["text"]
        assert await second.receive_from() == counts(2, 3)["text"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?after=",
        "?x=1",
        *(f"?after={bad}" for bad in ("seven", "-1", "1.5", "%C2%B2", "7%0A", "9" * 19, "%FF")),
    ],
)
async def test_counts_from_0_without_a_valid_id(database, query):
    await write(database, 1, 2)
    async with new_counter(query) as client:
        await enter(client, 2, 2)


async def test_a_query_string_in_no_encoding_is_ignored(database):
    async with new_counter() as client:
        client.scope["query_string"] = b"\xff&after=0"
        await enter(client, 0, None)


async def test_an_entry_is_saved_and_counted_by_all(database):
    async with new_counter() as writer, new_counter() as other:
        await enter(writer, 0, None)
        await enter(other, 0, None)
        for number, text in enumerate(("cast off", '"ä ☃"'), 1):
            await writer.send_to(text_data=text)
            writer.expect(counts(number, number))
            other.expect(counts(number, number))
    assert [entry.text async for entry in Entry.objects.order_by("id")] == ["cast off", '"ä ☃"']


@pytest.mark.parametrize("frame", [{"text_data": ""}, {"bytes_data": b"hi"}])
async def test_a_frame_without_text_is_ignored(database, frame):
    async with new_counter() as client:
        await enter(client, 0, None)
        await client.send_to(**frame)
        client.expect()
    assert await Entry.objects.acount() == 0


@pytest.mark.parametrize("character", ["x", "\x01", "🦊"])
async def test_an_entry_may_have_1000_characters_and_a_longer_text_is_refused(database, character):
    async with new_counter() as client:
        await enter(client, 0, None)
        await client.send_to(text_data=character * 1000)
        client.expect(counts(1, 1))
        for length in (1001, 200_000):
            await client.send_to(text_data=character * length)
            client.expect({"type": "websocket.send", "text": '{"error": "too long"}'})
        await client.send_to(text_data="short")
        client.expect(counts(2, 2))
    assert [len(entry.text) async for entry in Entry.objects.all()] == [1000, 5]


async def test_only_a_form_checks_max_length_on_sqlite(database):
    entry = await Entry.objects.acreate(text="x" * 1001)
    with pytest.raises(ValidationError):
        entry.clean_fields()


async def test_the_counts_are_right_whenever_another_process_writes(database, moments):
    """Another process writes before and after each step of a connect and of a client's frame."""
    rounds = 0

    async def publish():
        await database.do_in_other_process(Entry.objects.create, text="other")
        await notify()

    for _ in each_point(moments, publish):
        rounds += 1
        async with new_counter() as client:
            await client.connect()
            await client.send_to(text_data="mine")
            frames = [json.loads(message["text"]) for message in client.unread]
            client.unread.clear()
            numbers = [frame["new"] for frame in frames]
            assert numbers == sorted(set(numbers))  # no counts come twice
            assert frames[-1] == {"new": await Entry.objects.acount(), "last": numbers[-1]}
    assert rounds == 12 + 1  # around six steps: join, two reads, save, send, leave


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_group_however_the_connection_ends(database, end):
    async with new_counter() as client:
        await enter(client, 0, None)
        await getattr(client, end)()
        assert client.finished
    assert not get_channel_layer().groups


async def test_async_for_has_all_rows_before_the_first(database):
    await write(database, 1, 2, 3)
    rows = Entry.objects.order_by("id")
    async for _ in rows:
        assert len(rows._result_cache) == 3
        break
