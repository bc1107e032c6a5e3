"""Tests for both hardened chats: on the bare consumer and on the generic consumer."""

from datetime import timedelta

import pytest
from channels.layers import get_channel_layer

from db_demo.models import Message, Room
from lessons.extras.hardened_chat import store
from lessons.extras.hardened_chat.logic import HEARTBEAT_INTERVAL, TYPING_INTERVAL
from lessons.extras.hardened_chat.presence import ANNOUNCE_INTERVAL
from lessons.extras.models import Presence
from lessons.workshop.judge import StrictCommunicator
from tests.support.chat_client import APPLICATION, chat_at
from tests.support.simulated_time import wait

HERE = {"here": ["ann"], "guests": 0}


@pytest.fixture(params=["chat", "generic-chat"])
async def chat(request):
    async with chat_at(request.param) as chat:
        yield chat


# Messages


async def test_every_member_receives_a_message_and_it_is_saved(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await ann.post("hello")
    (frame,) = bob.new_frames()
    row = await chat.database.do(Message.objects.select_related("room", "author").get)
    assert frame == {
        "message": "hello",
        "id": row.id,
        "by": "ann",
        "at": row.written_at.isoformat(),
    }
    assert (row.text, row.author.username, row.room.name) == ("hello", "ann", "lobby")
    assert ann.new_messages() == ["hello"]


async def test_another_room_receives_nothing(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob", "attic")
    await ann.post("hello")
    assert bob.new_frames() == []


async def test_the_classic_client_receives_only_messages(chat):
    classic = await chat.join(seen=None)
    ann = await chat.join("ann")
    await ann.client.send_json_to({"typing": True})
    await classic.post("hello")
    await ann.post("hi", key="1")
    await wait(HEARTBEAT_INTERVAL)
    assert classic.new_frames() == [{"message": "hello"}, {"message": "hi"}]


async def test_the_classic_client_receives_an_error_as_a_message(chat):
    classic = await chat.join(seen=None)
    await classic.post("", key="1")
    assert classic.new_frames() == [{"message": "A message must be a text that is not empty."}]


async def test_the_classic_client_receives_no_history(chat):
    ann = await chat.join("ann")
    await ann.post("hello")
    assert (await chat.connect(seen=None)).new_frames() == []


async def test_a_message_that_is_sent_twice_is_saved_once(chat):
    ann = await chat.join("ann")
    for _ in range(2):
        await ann.post("hello", key="k1")
    message, *saved = ann.new_frames()
    assert (message["message"], saved) == ("hello", [{"saved": "k1"}] * 2)
    assert await chat.database.do(Message.objects.count) == 1


async def test_a_key_belongs_to_its_author(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await ann.post("from ann", key="k")
    await bob.post("from bob", key="k")
    assert await chat.database.do(Message.objects.count) == 2


async def test_only_the_connection_that_sends_a_key_receives_it(chat):
    guest, other = await chat.join(), await chat.join()
    await guest.post("hello", key="secret")
    assert "secret" in str(guest.new_frames())
    later = await chat.connect()
    for participant in (other, later):
        frames = participant.new_frames()
        assert "hello" in str(frames)
        assert "secret" not in str(frames)
    # A guest that has lost its connection sends the message again, and learns that it was saved.
    await later.post("hello", key="secret")
    assert {"saved": "secret"} in later.new_frames()
    assert await chat.database.do(Message.objects.count) == 1


# History


async def test_a_new_client_receives_the_end_of_the_history(chat):
    texts = [str(number) for number in range(store.MAX_HISTORY + 3)]
    await chat.database.do(fill, "lobby", texts)
    assert (await chat.connect("ann")).new_messages() == texts[3:]


async def test_a_returning_client_receives_what_it_missed_in_order(chat):
    texts = [str(number) for number in range(store.PAGE_SIZE + 7)]
    rows = await chat.database.do(fill, "lobby", texts)
    returning = await chat.connect("ann", seen=rows[2].id)
    assert returning.new_messages() == texts[3:]


async def test_ready_marks_the_end_of_the_history(chat):
    rows = await chat.database.do(fill, "lobby", ["one", "two"])
    ann = await chat.connect("ann")
    frames = ann.new_frames()
    assert [frame["message"] for frame in frames[:2]] == ["one", "two"]
    assert frames[2:] == [{"ready": rows[1].id}, HERE]


async def test_a_last_id_in_the_future_loses_no_message(chat):
    ann = await chat.join("ann", seen=10**17)
    await ann.post("hello")
    assert ann.new_messages() == ["hello"]


async def test_a_lost_layer_message_is_repaired_at_the_next_heartbeat(chat):
    await chat.database.do(Room.objects.create, name="lobby")
    ann = await chat.join("ann")
    await chat.database.do(fill, "lobby", ["unheard"])
    assert ann.new_messages() == []
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_messages() == ["unheard"]


async def test_joins_again_after_the_layer_has_lost_its_groups(chat, monkeypatch):
    async def unreachable(channel, message):
        raise ConnectionError("Connection refused.")

    ann, bob = await chat.join("ann"), await chat.join("bob")
    with monkeypatch.context() as outage:
        outage.setattr(get_channel_layer(), "send", unreachable)
        await wait(HEARTBEAT_INTERVAL)
    get_channel_layer().groups.clear()
    await wait(HEARTBEAT_INTERVAL)
    await ann.post("hello")
    assert bob.new_messages() == ["hello"]


async def test_a_repeated_layer_message_sends_nothing_twice(chat):
    ann = await chat.join("ann")
    await ann.post("hello")
    for _ in range(2):
        saved = {"type": "chat.saved", "id": (await chat.database.do(Message.objects.get)).id}
        await get_channel_layer().group_send("chat-room-lobby", saved)
    await wait(0)
    assert ann.new_messages() == ["hello"]


async def test_a_message_saved_during_the_join_is_sent_once(chat, monkeypatch):
    original = store.first_position

    def save_after(*args):
        position = original(*args)
        fill("lobby", ["late"])
        return position

    monkeypatch.setattr(store, "first_position", save_after)
    ann = await chat.connect("ann")
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_messages() == ["late"]


# Access


async def test_only_members_join_read_and_write_in_a_private_room(chat):
    await chat.make_private("den", "ann")
    await chat.database.do(fill, "den", ["secret"])
    for name in ("bob", None):
        other = await chat.connect(name, "den")
        assert (other.client.close_code, other.new_frames()) == (4403, [])
    assert await chat.database.do(Presence.objects.count) == 0


async def test_a_message_that_a_rejected_client_sends_is_not_saved(chat):
    await chat.make_private("den", "ann")
    ann = await chat.join("ann", "den")
    headers = await chat.database.log_in("bob")
    bob = StrictCommunicator(APPLICATION, chat.path("den"), headers)
    async with bob:
        bob.input_queue.put_nowait({"type": "websocket.connect"})
        bob.input_queue.put_nowait({"type": "websocket.receive", "text": '{"message": "hi"}'})
        await bob.wait()
    assert ann.new_messages() == []
    assert await chat.database.do(Message.objects.count) == 0


async def test_a_member_joins_reads_and_writes(chat):
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await ann.post("between us")
    assert bob.new_messages() == ["between us"]


async def test_a_removed_member_cannot_write(chat):
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await chat.remove_member("den", "bob")
    await bob.post("still here")
    assert (bob.client.close_code, ann.new_messages()) == (4403, [])
    assert await chat.database.do(Message.objects.count) == 0


async def test_a_removed_member_cannot_read(chat):
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await chat.remove_member("den", "bob")
    await ann.post("he has left")
    assert (bob.client.close_code, bob.new_messages()) == (4403, [])
    assert ann.client.close_code is None


async def test_a_removed_member_is_closed_at_once(chat):
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await chat.remove_member("den", "bob", signals=True)
    assert (ann.client.close_code, bob.client.close_code) == (None, 4403)


async def test_a_removed_member_is_closed_at_the_next_heartbeat_without_a_signal(chat):
    await chat.make_private("den", "bob")
    bob = await chat.join("bob", "den")
    await chat.remove_member("den", "bob")
    assert bob.client.close_code is None
    await wait(HEARTBEAT_INTERVAL)
    assert bob.client.close_code == 4403


async def test_a_room_that_becomes_private_closes_other_users(chat):
    ann = await chat.join("ann")
    await chat.make_private("lobby")
    assert ann.client.close_code == 4403


async def test_an_invalid_room_name_is_closed_with_4404(chat):
    for room in ("a%20b", "caf%C3%A9", "lobby%0A", "a!b", "x" * 51):
        assert (room, (await chat.connect(room=room)).client.close_code) == (room, 4404)
    assert await chat.database.do(Presence.objects.count) == 0


# Presence


async def test_every_client_receives_who_joins_and_leaves(chat):
    ann = await chat.connect("ann")
    assert ann.new_frames()[-1] == HERE
    await wait(ANNOUNCE_INTERVAL)
    bob = await chat.connect("bob")
    await wait(ANNOUNCE_INTERVAL)
    await chat.connect()
    await wait(ANNOUNCE_INTERVAL)
    assert ann.new_frames() == [
        {"here": ["ann", "bob"], "guests": 0},
        {"here": ["ann", "bob"], "guests": 1},
    ]
    await bob.leave()
    assert ann.new_frames() == [{"here": ["ann"], "guests": 1}]


async def test_two_tabs_are_one_user_until_both_are_closed(chat):
    ann = await chat.join("ann")
    first, second = await chat.join("bob"), await chat.connect("bob")
    assert ann.new_frames() == []
    await first.leave()
    await wait(ANNOUNCE_INTERVAL)
    assert ann.new_frames() == []
    await second.leave()
    await wait(ANNOUNCE_INTERVAL)
    assert ann.new_frames() == [HERE]


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_a_user_whose_connection_broke_is_removed_at_once(chat, end):
    ann = await chat.join("ann")
    bob = await chat.join("bob")
    await getattr(bob.client, end)()
    await wait(ANNOUNCE_INTERVAL)
    assert ann.new_frames() == [HERE]
    assert await chat.database.do(Presence.objects.count) == 1


async def test_presence_rows_of_a_killed_process_expire(chat):
    ann = await chat.join("ann")
    bob = await chat.user("bob")
    await chat.database.do(save_stale_presence, bob, store.PRESENCE_TIMEOUT - timedelta(seconds=5))
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann", "bob"], "guests": 0}]
    await chat.database.do(save_stale_presence, bob, store.PRESENCE_TIMEOUT + timedelta(seconds=1))
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [HERE]


def test_a_presence_row_survives_two_lost_heartbeats():
    assert store.PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL == 30


async def test_a_heartbeat_refreshes_the_presence_row(chat):
    await chat.join("ann")
    await chat.database.do(Presence.objects.update, seen_at=long_ago())
    await wait(HEARTBEAT_INTERVAL)
    assert (await chat.database.do(Presence.objects.get)).seen_at > long_ago()


async def test_a_heartbeat_creates_a_lost_presence_row_again(chat):
    ann = await chat.join("ann")
    await chat.database.do(Presence.objects.all().delete)
    await wait(HEARTBEAT_INTERVAL)
    assert await chat.database.do(Presence.objects.count) == 1
    assert ann.new_frames() == []


# Typing


async def test_others_receive_who_types_but_not_too_often(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    for _ in range(3):
        await ann.client.send_json_to({"typing": True})
    assert (bob.new_frames(), ann.new_frames()) == ([{"typing": "ann"}], [])
    await wait(TYPING_INTERVAL)
    await ann.client.send_json_to({"typing": True})
    assert bob.new_frames() == [{"typing": "ann"}]


# The end of a connection


@pytest.mark.parametrize("code", [None, 1006])
async def test_leaves_no_group_and_no_presence_row(chat, layer, code):
    ann = await chat.join("ann")
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


def save_stale_presence(user, age):
    from django.utils import timezone

    defaults = {"room": "lobby", "user": user, "seen_at": timezone.now() - age}
    Presence.objects.update_or_create(channel="specific.dead!1", defaults=defaults)
