"""The hardened chat: messages, history, access, presence, slow readers, the end of a connection."""

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from db_demo.models import Message, Room
from lessons.extras.hardened_chat import consumer, store
from lessons.extras.hardened_chat.consumer import HEARTBEAT_INTERVAL, RECEIPT_TIMEOUT, HardenedChat
from lessons.extras.models import Presence
from tests.support.chat_client import APPLICATION
from tests.support.simulated_time import wait
from tests.support.strict_communicator import StrictCommunicator

HERE = {"here": ["ann"], "guests": 0}


def fill(name, texts):
    """Save messages as another program would. Returns their ids."""
    room, _ = Room.objects.get_or_create(name=name)
    return [room.messages.create(text=text).id for text in texts]


# Messages


async def test_every_member_receives_a_message_and_it_is_saved(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await ann.post("hello")
    row = await chat.database.do(Message.objects.select_related("room", "author").get)
    at = row.written_at.isoformat()
    assert bob.new_frames() == [{"id": row.id, "message": "hello", "by": "ann", "at": at}]
    assert (row.text, row.author.username, row.room.name) == ("hello", "ann", "lobby")
    assert ann.new_messages() == ["hello"]


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


async def test_a_new_client_receives_the_end_of_the_history_and_then_the_users(chat):
    texts = [str(number) for number in range(store.MAX_HISTORY + 3)]
    await chat.database.do(fill, "lobby", texts)
    *messages, _, users = (await chat.connect("ann")).new_frames()
    assert [frame["message"] for frame in messages] == texts[3:]
    assert users == HERE


async def test_a_returning_client_receives_what_it_missed_in_order(chat):
    texts = [str(number) for number in range(store.PAGE_SIZE + 7)]
    ids = await chat.database.do(fill, "lobby", texts)
    assert (await chat.connect("ann", seen=ids[2])).new_messages() == texts[3:]


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


async def test_many_layer_messages_lead_to_one_read_and_send_nothing_twice(chat, monkeypatch):
    reads, messages_after = [], store.messages_after
    monkeypatch.setattr(
        store, "messages_after", lambda *args: reads.append(args) or messages_after(*args)
    )
    await chat.database.do(Room.objects.create, name="lobby")
    ann = await chat.join("ann")
    ids = await chat.database.do(fill, "lobby", ["one", "two", "three"])
    reads.clear()
    for id in [*ids, *ids]:
        await get_channel_layer().group_send("chat-room-lobby", {"type": "chat.saved", "id": id})
    await wait(0)
    assert ann.new_messages() == ["one", "two", "three"]
    assert len(reads) == 1


async def test_a_message_saved_during_the_join_is_sent_once(chat, monkeypatch):
    join = store.join

    def save_after(client):
        position = join(client)
        fill("lobby", ["late"])
        return position

    monkeypatch.setattr(store, "join", save_after)
    ann = await chat.connect("ann")
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_messages() == ["late"]


# Access


async def test_only_members_join_and_read_a_private_room(chat):
    await chat.make_private("den", "ann")
    await chat.database.do(fill, "den", ["secret"])
    for name in ("bob", None):
        other = await chat.connect(name, "den")
        assert (other.client.close_code, other.new_frames()) == (4403, [])
    assert await chat.database.do(Presence.objects.count) == 0
    assert (await chat.connect("ann", "den")).new_messages() == ["secret"]


async def test_a_message_that_a_rejected_client_sends_is_not_saved(chat):
    await chat.make_private("den", "ann")
    headers = await chat.database.log_in("bob")
    bob = StrictCommunicator(APPLICATION, chat.path("den"), headers)
    async with bob:
        bob.inbox.put_nowait({"type": "websocket.connect"})
        bob.inbox.put_nowait({"type": "websocket.receive", "text": '{"message": "hi"}'})
        await bob.wait()
    assert await chat.database.do(Message.objects.count) == 0


async def den_without_bob(chat, signals=False):
    """Two members in a private room. Then bob's membership is deleted."""
    await chat.make_private("den", "ann", "bob")
    ann, bob = await chat.join("ann", "den"), await chat.join("bob", "den")
    await chat.remove_member("den", "bob", signals)
    return ann, bob


async def test_a_removed_member_cannot_write(chat):
    ann, bob = await den_without_bob(chat)
    await bob.post("still here")
    assert (bob.client.close_code, ann.new_messages()) == (4403, [])
    assert await chat.database.do(Message.objects.count) == 0


async def test_a_removed_member_cannot_read(chat):
    ann, bob = await den_without_bob(chat)
    await ann.post("he has left")
    assert (bob.client.close_code, bob.new_messages()) == (4403, [])
    assert ann.client.close_code is None


async def test_a_removed_member_is_closed_at_once_or_without_a_signal_at_the_heartbeat(chat):
    ann, bob = await den_without_bob(chat, signals=True)
    assert (ann.client.close_code, bob.client.close_code) == (None, 4403)
    await chat.remove_member("den", "ann")
    assert ann.client.close_code is None
    await wait(HEARTBEAT_INTERVAL)
    assert ann.client.close_code == 4403


async def test_a_room_that_becomes_private_closes_other_users(chat):
    ann = await chat.join("ann")
    await chat.make_private("lobby")
    assert ann.client.close_code == 4403


# Presence


async def test_a_heartbeat_sends_who_has_joined_and_left(chat):
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await chat.join()
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann", "bob"], "guests": 1}]
    await bob.leave()
    await wait(2 * HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann"], "guests": 1}]  # once: nothing else has changed


async def test_the_row_of_a_killed_process_expires_after_three_heartbeats(chat):
    assert store.PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL
    ann, bob = await chat.join("ann"), await chat.join("bob")
    await wait(HEARTBEAT_INTERVAL)
    ann.new_frames()
    bob.client.future.cancel()
    await chat.database.do(
        lambda: Presence.objects.filter(user__username="bob").update(
            channel="killed", seen_at=timezone.now() - store.PRESENCE_TIMEOUT
        )
    )
    await wait(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [HERE]
    bob.client.is_judged = True  # without a disconnect event, so check nothing more


# Slow readers

PAGE = 5
UNCONFIRMED = 3 * PAGE  # frames, at most


@pytest.fixture
def missed(chat, monkeypatch):
    """`await missed(7)`: a client that has missed seven messages, and their texts."""
    monkeypatch.setattr(store, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(consumer, "FRAMES_PER_RECEIPT", PAGE)

    async def connect(count):
        texts = [str(number) for number in range(count + 1)]
        ids = await chat.database.do(fill, "lobby", texts)
        return await chat.connect("ann", seen=ids[0]), texts[1:]

    return connect


async def read_all(client):
    """Confirm what the client receives, as the page does, until nothing more comes."""
    received = []
    while frames := client.new_frames():
        received += frames
        if any("confirm" in frame for frame in frames):
            await client.confirm(frames)
    return received


def texts_in(frames):
    return [frame["message"] for frame in frames if "message" in frame]


async def test_a_client_that_confirms_receives_its_whole_history_and_then_the_users(missed):
    ann, texts = await missed(3 * UNCONFIRMED)
    received = await read_all(ann)
    assert texts_in(received) == texts
    assert texts_in(received[received.index(HERE) :]) == []
    assert ann.client.close_code is None


async def test_a_client_that_confirms_nothing_receives_a_limited_number_of_frames(chat, missed):
    ann, texts = await missed(2 * UNCONFIRMED)
    frames = ann.new_frames()
    await (await chat.join("bob")).post("more")
    await wait(HEARTBEAT_INTERVAL)
    frames += ann.new_frames()
    assert len(frames) <= UNCONFIRMED
    assert texts_in(frames) == texts[: 2 * PAGE]


async def test_a_client_that_confirms_nothing_is_closed_and_continues_later(chat, missed):
    ann, texts = await missed(UNCONFIRMED + 2)
    frames = ann.new_frames()
    await wait(RECEIPT_TIMEOUT)
    assert ann.client.close_code is None
    await wait(HEARTBEAT_INTERVAL)
    assert (ann.client.close_code, ann.new_messages()) == (4413, [])
    again = await chat.connect("ann", seen=[frame["id"] for frame in frames if "id" in frame][-1])
    assert texts_in(frames) + again.new_messages() == texts


@pytest.mark.parametrize("answer", ["0" * 16, "", "null", '{"confirm": true}'])
async def test_a_client_cannot_guess_the_key_of_a_receipt(missed, answer):
    ann, _ = await missed(2 * UNCONFIRMED)
    ann.new_frames()
    await ann.client.send_to(text_data=answer)
    assert ann.new_messages() == []


async def test_a_receipt_counts_neither_as_a_frame_nor_as_activity(missed, monkeypatch):
    monkeypatch.setattr(consumer, "BURST", 1)
    monkeypatch.setattr(consumer, "IDLE_TIMEOUT", 3 * HEARTBEAT_INTERVAL)
    ann, texts = await missed(2 * UNCONFIRMED)
    await wait(2 * HEARTBEAT_INTERVAL)
    assert texts_in(await read_all(ann)) == texts
    await wait(2 * HEARTBEAT_INTERVAL)
    assert ann.client.close_code == 4408


# The beginning and the end of a connection


async def test_a_client_is_accepted_before_the_first_query(chat, monkeypatch):
    def unreachable(client):
        raise ConnectionError("The database is unreachable.")

    monkeypatch.setattr(store, "join", unreachable)
    scope = {"type": "websocket", "query_string": b"", "url_route": {"kwargs": {"room": "lobby"}}}
    scope |= {"user": AnonymousUser(), "session": None}
    client = ApplicationCommunicator(HardenedChat.as_asgi(), scope)
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_output() == {"type": "websocket.accept"}
    with pytest.raises(ConnectionError):
        await client.wait()


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_no_group_and_no_row_however_the_connection_ends(chat, layer, end):
    ann = await chat.join("ann")
    assert sorted(group.partition("-user")[0] for group in layer.groups) == [
        "chat",
        "chat-room-lobby",
    ]
    await getattr(ann.client, end)()
    assert not layer.groups
    assert await chat.database.do(Presence.objects.count) == 0


async def test_leaves_the_room_even_if_a_busy_server_cancels_again_and_again(chat, layer):
    client = (await chat.join()).client
    for _ in range(50):  # Daphne cancels each second until the application has ended
        client.future.cancel()
        await asyncio.sleep(0)
    await asyncio.wait([client.future])
    await asyncio.get_running_loop().wait_until_idle()
    assert not layer.groups
    assert await chat.database.do(Presence.objects.count) == 0
    client.is_judged = True  # without a disconnect event, so check nothing more
