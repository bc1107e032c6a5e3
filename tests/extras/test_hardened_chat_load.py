"""What a client costs the hardened chat: trips to the database thread, reads, announcements."""

import asyncio

import pytest
from channels.layers import get_channel_layer

from db_demo.models import Room
from lessons.extras.hardened_chat import database, logic, presence
from lessons.extras.hardened_chat.logic import HEARTBEAT_INTERVAL
from lessons.extras.hardened_chat.presence import ANNOUNCE_INTERVAL, presence_in
from lessons.workshop.judge import StrictCommunicator  # noqa: F401 - chooses the simulated loop
from tests.support.chat_client import chat_at
from tests.support.simulated_time import wait


@pytest.fixture(params=["chat", "generic-chat"])
async def chat(request):
    async with chat_at(request.param) as chat:
        yield chat


@pytest.fixture
def queries(monkeypatch):
    """The names of the functions that the chat has called in the database thread."""
    names = []

    async def run_query(function, *args):
        names.append(function.__name__)
        return await database.run_query(function, *args)

    for module in (logic, presence):
        monkeypatch.setattr(module, "run_query", run_query)
    return names


# To join


async def test_a_client_joins_and_leaves_with_one_trip_each(chat, queries):
    ann = await chat.connect("ann")
    assert queries == ["join", "present_users"]
    await wait(ANNOUNCE_INTERVAL)
    queries.clear()
    await ann.client.disconnect(1001)
    assert queries == ["delete_presence"]


async def test_a_client_is_accepted_before_the_first_query(chat, monkeypatch):
    go_on = asyncio.Event()

    async def wait_and_query(function, *args):
        await go_on.wait()
        return await database.run_query(function, *args)

    monkeypatch.setattr(logic, "run_query", wait_and_query)
    participant = await chat.connect("ann")
    assert participant.new_frames() == []
    go_on.set()
    await wait(0)
    assert participant.new_frames()[0] == {"ready": 0}


async def test_an_event_adds_no_job_for_the_thread(chat):
    ann = await chat.join("ann")
    loop = asyncio.get_running_loop()
    before = loop.thread_jobs_started
    await get_channel_layer().group_send("chat-room-lobby", {"type": "chat.saved", "id": 0})
    await wait(0)
    await ann.client.send_json_to({"confirmed": "0"})
    assert loop.thread_jobs_started == before


async def test_few_queries_wait_in_the_thread_at_a_time(chat, monkeypatch):
    active, most = 0, []

    def database_sync_to_async(function):
        async def call(*args):
            nonlocal active
            active += 1
            most.append(active)
            await asyncio.sleep(1)
            active -= 1

        return call

    monkeypatch.setattr(database, "database_sync_to_async", database_sync_to_async)
    await asyncio.gather(*(database.run_query(print) for _ in range(10)))
    assert (len(most), max(most)) == (10, database.MAX_JOBS)


# Messages


async def test_many_layer_messages_lead_to_one_read(chat, queries):
    await chat.database.do(Room.objects.create, name="lobby")
    ann = await chat.join("ann")
    rows = await chat.database.do(fill, "lobby", [str(number) for number in range(10)])
    queries.clear()
    for row in rows:
        await get_channel_layer().group_send("chat-room-lobby", {"type": "chat.saved", "id": row})
    await wait(0)
    assert ann.new_messages() == [str(number) for number in range(10)]
    assert queries == ["messages_after"]


# Presence


async def test_entries_within_an_interval_are_announced_together(chat, queries):
    ann = await chat.join("ann")
    await wait(ANNOUNCE_INTERVAL)
    queries.clear()
    for _ in range(8):
        await chat.connect()
    await wait(ANNOUNCE_INTERVAL)
    # The first entry is announced at once, the others at the end of the interval.
    assert ann.new_frames() == [{"here": ["ann"], "guests": 1}, {"here": ["ann"], "guests": 8}]
    # All clients of the process share what one of them has read.
    assert queries.count("present_users") == 2


async def test_leaves_within_an_interval_are_announced_together(chat):
    ann = await chat.join("ann")
    guests = [await chat.join() for _ in range(8)]
    for guest in guests:
        await guest.leave()
    await wait(ANNOUNCE_INTERVAL)
    frames = ann.new_frames()
    assert len(frames) <= 2
    assert frames[-1] == {"here": ["ann"], "guests": 0}


async def test_heartbeats_share_a_read_and_send_nothing_if_nothing_has_changed(chat, queries):
    for _ in range(20):
        await chat.join()
    queries.clear()
    await wait(HEARTBEAT_INTERVAL)
    assert queries.count("refresh") >= 20
    assert queries.count("present_users") <= HEARTBEAT_INTERVAL / ANNOUNCE_INTERVAL + 1
    assert [one.new_frames() for one in chat.participants] == [[]] * 20


async def test_heartbeats_of_clients_that_came_together_are_spread(chat, queries):
    for _ in range(20):
        await chat.connect()
    queries.clear()
    await wait(HEARTBEAT_INTERVAL / 2)
    assert 0 < queries.count("refresh") < 20  # all or none: once in a million runs


async def test_an_announcement_during_a_read_leads_to_another_read(chat, monkeypatch):
    reads, go_on = [], asyncio.Event()

    async def run_query(function, room):
        reads.append(room)
        await go_on.wait()
        return {"here": [], "guests": len(reads)}

    monkeypatch.setattr(presence, "run_query", run_query)
    lobby = presence_in("lobby")
    first = [asyncio.create_task(lobby.users_after("one")) for _ in range(3)]
    await asyncio.sleep(0)
    second = [asyncio.create_task(lobby.users_after("two")) for _ in range(3)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*first)
    assert [users["guests"] for users in await asyncio.gather(*second)] == [2, 2, 2]
    assert reads == ["lobby", "lobby"]


async def test_a_failed_read_is_made_again(chat, monkeypatch):
    async def fails(function, room):
        raise ConnectionError("The database is unreachable.")

    lobby = presence_in("lobby")
    with monkeypatch.context() as outage:
        outage.setattr(presence, "run_query", fails)
        with pytest.raises(ConnectionError):
            await lobby.users_after("one")
    assert await lobby.users_after("one") == {"here": [], "guests": 0}


async def test_an_announcement_that_the_layer_loses_is_repaired_by_the_heartbeat(chat, monkeypatch):
    ann = await chat.join("ann")

    async def unreachable(group, message):
        raise ConnectionError("Connection refused.")

    with monkeypatch.context() as outage:
        outage.setattr(get_channel_layer(), "group_send", unreachable)
        await chat.connect("bob")
        await wait(0)
    assert ann.new_frames() == []
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann", "bob"], "guests": 0}]


def fill(name, texts):
    room, _ = Room.objects.get_or_create(name=name)
    return [room.messages.create(text=text).id for text in texts]
