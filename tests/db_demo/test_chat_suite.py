"""One suite for both chats of lesson 23, the raw one and the one on the generic consumer."""

import asyncio
from datetime import timedelta

import pytest
from channels.layers import get_channel_layer

from db_demo.chat import store
from db_demo.chat.logic import HEARTBEAT_INTERVAL, TYPING_INTERVAL
from db_demo.models import Message, Presence, Room
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database
from tests.support.chat_client import APPLICATION, Chat

HERE = {"here": ["ann"], "guests": 0}


@pytest.fixture(params=["chat", "generic-chat"])
async def chat(request):
    async with fresh_database() as database:
        chat = Chat(database, request.param)
        yield chat
        await chat.end()


async def seconds(number):
    await asyncio.sleep(number)
    await asyncio.get_running_loop().wait_until_idle()


# Messages


async def test_every_member_receives_a_message_and_it_is_saved(chat):
    ann, bob = await chat.enter("ann"), await chat.enter("bob")
    await ann.say("hello")
    (frame,) = bob.frames()
    row = await chat.database.do(Message.objects.select_related("room", "author").get)
    assert frame == {
        "message": "hello",
        "id": row.id,
        "by": "ann",
        "at": row.written_at.isoformat(),
    }
    assert (row.text, row.author.username, row.room.name) == ("hello", "ann", "lobby")
    assert ann.heard() == ["hello"]


async def test_another_room_receives_nothing(chat):
    ann, bob = await chat.enter("ann"), await chat.enter("bob", "elsewhere")
    await ann.say("hello")
    assert bob.frames() == []


async def test_the_classic_client_receives_only_messages(chat):
    classic = await chat.enter(seen=None)
    ann = await chat.enter("ann")
    await ann.client.send_json_to({"typing": True})
    await classic.say("hello")
    await ann.say("hi", key="1")
    await seconds(HEARTBEAT_INTERVAL)
    assert classic.frames() == [{"message": "hello"}, {"message": "hi"}]


async def test_the_classic_client_receives_no_history(chat):
    ann = await chat.enter("ann")
    await ann.say("hello")
    assert (await chat.knock(seen=None)).frames() == []


async def test_a_message_that_is_sent_twice_is_saved_once(chat):
    ann = await chat.enter("ann")
    for _ in range(2):
        await ann.say("hello", key="k1")
    assert [(frame["message"], frame["key"]) for frame in ann.frames()] == [("hello", "k1")]
    assert await chat.database.do(Message.objects.count) == 1


async def test_a_key_belongs_to_its_author(chat):
    ann, bob = await chat.enter("ann"), await chat.enter("bob")
    await ann.say("from ann", key="k")
    await bob.say("from bob", key="k")
    assert ["key" in frame for frame in ann.frames()] == [True, False]
    assert await chat.database.do(Message.objects.count) == 2


# History


async def test_a_new_client_receives_the_end_of_the_history(chat):
    texts = [str(number) for number in range(store.MAX_HISTORY + 3)]
    await chat.database.do(fill, "lobby", texts)
    assert (await chat.knock("ann")).heard() == texts[3:]


async def test_a_returning_client_receives_what_it_missed_in_order(chat):
    texts = [str(number) for number in range(store.PAGE_SIZE + 7)]
    rows = await chat.database.do(fill, "lobby", texts)
    person = await chat.knock("ann", seen=rows[2].id)
    assert person.heard() == texts[3:]


async def test_ready_marks_the_end_of_the_history(chat):
    rows = await chat.database.do(fill, "lobby", ["one", "two"])
    ann = await chat.knock("ann")
    frames = ann.frames()
    assert [frame["message"] for frame in frames[:2]] == ["one", "two"]
    assert frames[2:] == [{"ready": rows[1].id}, HERE]


async def test_a_last_id_in_the_future_loses_no_message(chat):
    ann = await chat.enter("ann", seen=10**17)
    await ann.say("hello")
    assert ann.heard() == ["hello"]


async def test_a_lost_layer_message_is_repaired_at_the_next_heartbeat(chat):
    await chat.database.do(Room.objects.create, name="lobby")
    ann = await chat.enter("ann")
    await chat.database.do(fill, "lobby", ["unheard"])
    assert ann.heard() == []
    await seconds(HEARTBEAT_INTERVAL)
    assert ann.heard() == ["unheard"]


async def test_joins_again_after_the_layer_has_lost_its_groups(chat, monkeypatch):
    async def away(channel, message):
        raise ConnectionError("Connection refused.")

    ann, bob = await chat.enter("ann"), await chat.enter("bob")
    with monkeypatch.context() as outage:
        outage.setattr(get_channel_layer(), "send", away)
        await seconds(HEARTBEAT_INTERVAL)
    get_channel_layer().groups.clear()
    await seconds(HEARTBEAT_INTERVAL)
    await ann.say("hello")
    assert bob.heard() == ["hello"]


async def test_a_repeated_layer_message_sends_nothing_twice(chat):
    ann = await chat.enter("ann")
    await ann.say("hello")
    for _ in range(2):
        await get_channel_layer().group_send("chat-room-lobby", {"type": "chat.saved"})
    await seconds(0)
    assert ann.heard() == ["hello"]


async def test_a_message_saved_during_the_join_is_sent_once(chat, monkeypatch):
    usual = store.first_position

    def start(*args):
        place = usual(*args)
        fill("lobby", ["meanwhile"])
        return place

    monkeypatch.setattr(store, "first_position", start)
    ann = await chat.knock("ann")
    await seconds(HEARTBEAT_INTERVAL)
    assert ann.heard() == ["meanwhile"]


# Who may


async def test_only_members_join_read_and_write_in_a_private_room(chat):
    await chat.private("den", "ann")
    await chat.database.do(fill, "den", ["secret"])
    for name in ("bob", None):
        stranger = await chat.knock(name, "den")
        assert (stranger.client.closed, stranger.frames()) == (4403, [])
    assert await chat.database.do(Presence.objects.count) == 0


async def test_a_message_that_a_rejected_client_sends_is_not_saved(chat):
    await chat.private("den", "ann")
    ann = await chat.enter("ann", "den")
    headers = await chat.database.log_in("bob")
    bob = StrictCommunicator(APPLICATION, chat.path("den"), headers)
    async with bob:
        bob.input_queue.put_nowait({"type": "websocket.connect"})
        bob.input_queue.put_nowait({"type": "websocket.receive", "text": '{"message": "hi"}'})
        await bob.wait()
    assert ann.heard() == []
    assert await chat.database.do(Message.objects.count) == 0


async def test_a_member_joins_reads_and_writes(chat):
    await chat.private("den", "ann", "bob")
    ann, bob = await chat.enter("ann", "den"), await chat.enter("bob", "den")
    await ann.say("between us")
    assert bob.heard() == ["between us"]


async def test_a_removed_member_cannot_write(chat):
    await chat.private("den", "ann", "bob")
    ann, bob = await chat.enter("ann", "den"), await chat.enter("bob", "den")
    await chat.put_out("den", "bob")
    await bob.say("still here")
    assert (bob.client.closed, ann.heard()) == (4403, [])
    assert await chat.database.do(Message.objects.count) == 0


async def test_a_removed_member_cannot_read(chat):
    await chat.private("den", "ann", "bob")
    ann, bob = await chat.enter("ann", "den"), await chat.enter("bob", "den")
    await chat.put_out("den", "bob")
    await ann.say("he is gone")
    assert (bob.client.closed, bob.heard()) == (4403, [])
    assert ann.client.closed is None


async def test_a_removed_member_is_closed_at_once(chat):
    await chat.private("den", "ann", "bob")
    ann, bob = await chat.enter("ann", "den"), await chat.enter("bob", "den")
    await chat.put_out("den", "bob", told=True)
    assert (ann.client.closed, bob.client.closed) == (None, 4403)


async def test_a_removed_member_is_closed_at_the_next_heartbeat_without_a_signal(chat):
    await chat.private("den", "bob")
    bob = await chat.enter("bob", "den")
    await chat.put_out("den", "bob")
    assert bob.client.closed is None
    await seconds(HEARTBEAT_INTERVAL)
    assert bob.client.closed == 4403


async def test_a_room_that_becomes_private_closes_other_users(chat):
    ann = await chat.enter("ann")
    await chat.private("lobby")
    assert ann.client.closed == 4403


async def test_an_invalid_room_name_is_closed_with_4404(chat):
    for room in ("a%20b", "caf%C3%A9", "lobby%0A", "a!b", "x" * 51):
        assert (room, (await chat.knock(room=room)).client.closed) == (room, 4404)
    assert await chat.database.do(Presence.objects.count) == 0


# Who is here


async def test_every_client_receives_who_joins_and_leaves(chat):
    ann = await chat.knock("ann")
    assert ann.frames()[-1] == HERE
    bob = await chat.knock("bob")
    await chat.knock()
    assert ann.frames() == [
        {"here": ["ann", "bob"], "guests": 0},
        {"here": ["ann", "bob"], "guests": 1},
    ]
    await bob.leave()
    assert ann.frames() == [{"here": ["ann"], "guests": 1}]


async def test_two_tabs_are_one_user_until_both_are_closed(chat):
    ann = await chat.enter("ann")
    first, second = await chat.enter("bob"), await chat.knock("bob")
    assert ann.frames() == []
    await first.leave()
    assert ann.frames() == []
    await second.leave()
    assert ann.frames() == [HERE]


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_a_user_whose_connection_broke_is_removed_at_once(chat, end):
    ann = await chat.enter("ann")
    bob = await chat.enter("bob")
    await getattr(bob.client, end)()
    assert ann.frames() == [HERE]
    assert await chat.database.do(Presence.objects.count) == 1


async def test_presence_rows_of_a_killed_process_expire(chat):
    ann = await chat.enter("ann")
    bob = await chat.user("bob")
    await chat.database.do(left_behind, bob, store.PRESENCE_TIMEOUT - timedelta(seconds=5))
    await seconds(HEARTBEAT_INTERVAL)
    assert ann.frames() == [{"here": ["ann", "bob"], "guests": 0}]
    await chat.database.do(left_behind, bob, store.PRESENCE_TIMEOUT + timedelta(seconds=1))
    await seconds(HEARTBEAT_INTERVAL)
    assert ann.frames() == [HERE]


def test_a_presence_row_survives_two_lost_heartbeats():
    assert store.PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL == 30


async def test_a_heartbeat_refreshes_the_presence_row(chat):
    await chat.enter("ann")
    await chat.database.do(Presence.objects.update, seen_at=long_ago())
    await seconds(HEARTBEAT_INTERVAL)
    assert (await chat.database.do(Presence.objects.get)).seen_at > long_ago()


async def test_a_heartbeat_creates_a_lost_presence_row_again(chat):
    ann = await chat.enter("ann")
    await chat.database.do(Presence.objects.all().delete)
    await seconds(HEARTBEAT_INTERVAL)
    assert await chat.database.do(Presence.objects.count) == 1
    assert ann.frames() == []


# Typing


async def test_others_receive_who_types_but_not_too_often(chat):
    ann, bob = await chat.enter("ann"), await chat.enter("bob")
    for _ in range(3):
        await ann.client.send_json_to({"typing": True})
    assert (bob.frames(), ann.frames()) == ([{"typing": "ann"}], [])
    await seconds(TYPING_INTERVAL)
    await ann.client.send_json_to({"typing": True})
    assert bob.frames() == [{"typing": "ann"}]


# Ends


@pytest.mark.parametrize("code", [None, 1006])
async def test_leaves_no_group_and_no_presence_row(chat, layer, code):
    ann = await chat.enter("ann")
    await ann.client.disconnect(code)
    assert not layer.groups
    assert await chat.database.do(Presence.objects.count) == 0


async def test_survives_a_cancel_before_its_first_event(chat):
    early = StrictCommunicator(APPLICATION, chat.path(), [])
    async with early:
        await early.kill()


def fill(name, texts):
    room, _ = Room.objects.get_or_create(name=name)
    return [room.messages.create(text=text) for text in texts]


def long_ago():
    from django.utils import timezone

    return timezone.now() - store.PRESENCE_TIMEOUT


def left_behind(user, age):
    from django.utils import timezone

    defaults = {"room": "lobby", "user": user, "seen_at": timezone.now() - age}
    Presence.objects.update_or_create(channel="specific.dead!1", defaults=defaults)
