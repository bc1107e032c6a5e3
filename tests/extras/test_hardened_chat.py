"""The hardened chat: messages, history, access, presence, slow readers, the end of a connection."""

import asyncio

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from db_demo.models import Message, Room
from lessons.extras.hardened_chat import consumer, store
from lessons.extras.hardened_chat.consumer import HEARTBEAT_INTERVAL, RECEIPT_TIMEOUT
from lessons.extras.models import Presence
from lessons.workshop.engine.pytest_plugin.report import ConsumerFault

HERE = {"here": ["ann"], "guests": 0}


def fill(name, texts):
    """Save messages as another program would. Returns their ids."""
    room, _ = Room.objects.get_or_create(name=name)
    return [room.messages.create(text=text).id for text in texts]


# Messages


def test_every_member_receives_a_message_and_it_is_saved(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    ann.post("hello")
    row = Message.objects.get()
    at = row.written_at.isoformat()
    assert bob.new_frames() == [{"id": row.id, "message": "hello", "by": "ann", "at": at}]
    assert (row.text, row.author.username, row.room.name) == ("hello", "ann", "lobby")
    assert ann.new_messages() == ["hello"]


def test_a_message_that_is_sent_twice_is_saved_once(chat):
    ann = chat.join("ann")
    for _ in range(2):
        ann.post("hello", key="k1")
    message, *saved = ann.new_frames()
    assert (message["message"], saved) == ("hello", [{"saved": "k1"}] * 2)
    assert Message.objects.count() == 1


def test_a_key_belongs_to_its_author(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    ann.post("from ann", key="k")
    bob.post("from bob", key="k")
    assert Message.objects.count() == 2


def test_only_the_connection_that_sends_a_key_receives_it(chat):
    guest, other = chat.join(), chat.join()
    guest.post("hello", key="secret")
    assert "secret" in str(guest.new_frames())
    later = chat.connect()
    for participant in (other, later):
        frames = participant.new_frames()
        assert "hello" in str(frames)
        assert "secret" not in str(frames)
    # A guest that has lost its connection sends the message again, and learns that it was saved.
    later.post("hello", key="secret")
    assert {"saved": "secret"} in later.new_frames()
    assert Message.objects.count() == 1


# History


def test_a_new_client_receives_the_end_of_the_history_and_then_the_users(chat):
    texts = [str(number) for number in range(store.MAX_HISTORY + 3)]
    fill("lobby", texts)
    *messages, _, users = chat.connect("ann").new_frames()
    assert [frame["message"] for frame in messages] == texts[3:]
    assert users == HERE


def test_a_returning_client_receives_what_it_missed_in_order(chat):
    texts = [str(number) for number in range(store.PAGE_SIZE + 7)]
    ids = fill("lobby", texts)
    assert chat.connect("ann", seen=ids[2]).new_messages() == texts[3:]


def test_a_last_id_in_the_future_loses_no_message(chat):
    ann = chat.join("ann", seen=10**17)
    ann.post("hello")
    assert ann.new_messages() == ["hello"]


def test_a_lost_layer_message_is_repaired_at_the_next_heartbeat(chat, world):
    Room.objects.create(name="lobby")
    ann = chat.join("ann")
    fill("lobby", ["unheard"])
    assert ann.new_messages() == []
    world.run(HEARTBEAT_INTERVAL)
    assert ann.new_messages() == ["unheard"]


def test_joins_again_after_the_layer_has_lost_its_groups(chat, world, monkeypatch):
    async def unreachable(channel, message):
        raise ConnectionError("Connection refused.")

    ann, bob = chat.join("ann"), chat.join("bob")
    with monkeypatch.context() as outage:
        outage.setattr(get_channel_layer(), "send", unreachable)
        world.run(HEARTBEAT_INTERVAL)
    get_channel_layer().groups.clear()
    world.run(HEARTBEAT_INTERVAL)
    ann.post("hello")
    assert bob.new_messages() == ["hello"]


def test_a_message_saved_during_the_join_is_sent_once(chat, world, monkeypatch):
    join = store.join

    def save_after(client):
        position = join(client)
        fill("lobby", ["late"])
        return position

    monkeypatch.setattr(store, "join", save_after)
    ann = chat.connect("ann")
    world.run(HEARTBEAT_INTERVAL)
    assert ann.new_messages() == ["late"]


# Access


def test_only_members_join_and_read_a_private_room(chat):
    chat.make_private("den", "ann")
    fill("den", ["secret"])
    for name in ("bob", None):
        other = chat.connect(name, "den")
        assert (other.client.closed, other.new_frames()) == (4403, [])
    assert Presence.objects.count() == 0
    assert chat.connect("ann", "den").new_messages() == ["secret"]


def test_a_message_that_a_rejected_client_sends_is_not_saved(chat, world):
    chat.make_private("den", "ann")
    with world.together():
        chat.connect("bob", "den").post("hi")
    assert Message.objects.count() == 0


def den_without_bob(chat, signals=False):
    """Two members in a private room. Then bob's membership is deleted."""
    chat.make_private("den", "ann", "bob")
    ann, bob = chat.join("ann", "den"), chat.join("bob", "den")
    chat.remove_member("den", "bob", signals)
    return ann, bob


def test_a_removed_member_cannot_write(chat):
    ann, bob = den_without_bob(chat)
    bob.post("still here")
    assert (bob.client.closed, ann.new_messages()) == (4403, [])
    assert Message.objects.count() == 0


def test_a_removed_member_cannot_read(chat):
    ann, bob = den_without_bob(chat)
    ann.post("he has left")
    assert (bob.client.closed, bob.new_messages()) == (4403, [])
    assert ann.client.closed is None


def test_a_removed_member_is_closed_at_once_or_without_a_signal_at_the_heartbeat(chat, world):
    ann, bob = den_without_bob(chat, signals=True)
    assert (ann.client.closed, bob.client.closed) == (None, 4403)
    chat.remove_member("den", "ann")
    assert ann.client.closed is None
    world.run(HEARTBEAT_INTERVAL)
    assert ann.client.closed == 4403


def test_a_room_that_becomes_private_closes_other_users(chat):
    ann = chat.join("ann")
    chat.make_private("lobby")
    assert ann.client.closed == 4403


# Presence


def test_a_heartbeat_sends_who_has_joined_and_left(chat, world):
    ann, bob = chat.join("ann"), chat.join("bob")
    chat.join()
    world.run(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann", "bob"], "guests": 1}]
    bob.client.leave()
    world.run(2 * HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann"], "guests": 1}]  # once: nothing else has changed


def test_the_row_of_a_killed_process_expires_after_three_heartbeats(chat, world):
    assert store.PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL
    ann, killed = chat.join("ann"), {"room": "lobby", "user": chat.user("bob"), "channel": "killed"}
    row = Presence.objects.create(seen_at=timezone.now(), **killed)
    world.run(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [{"here": ["ann", "bob"], "guests": 0}]
    Presence.objects.filter(pk=row.pk).update(seen_at=timezone.now() - store.PRESENCE_TIMEOUT)
    world.run(HEARTBEAT_INTERVAL)
    assert ann.new_frames() == [HERE]


# Slow readers

PAGE = 5
UNCONFIRMED = 3 * PAGE  # frames, at most


@pytest.fixture
def missed(chat, monkeypatch):
    """`missed(7)`: a client that has missed seven messages, and their texts."""
    monkeypatch.setattr(store, "PAGE_SIZE", PAGE)
    monkeypatch.setattr(consumer, "FRAMES_PER_RECEIPT", PAGE)

    def connect(count):
        texts = [str(number) for number in range(count + 1)]
        ids = fill("lobby", texts)
        return chat.connect("ann", seen=ids[0]), texts[1:]

    return connect


def read_all(client):
    """Confirm what the client receives, as the page does, until nothing more comes."""
    received = []
    while frames := client.new_frames():
        received += frames
        if any("confirm" in frame for frame in frames):
            client.confirm(frames)
    return received


def texts_in(frames):
    return [frame["message"] for frame in frames if "message" in frame]


def test_a_client_that_confirms_receives_its_whole_history_and_then_the_users(missed):
    ann, texts = missed(3 * UNCONFIRMED)
    received = read_all(ann)
    assert texts_in(received) == texts
    assert texts_in(received[received.index(HERE) :]) == []
    assert ann.client.closed is None


def test_a_client_that_confirms_nothing_receives_a_limited_number_of_frames(chat, world, missed):
    ann, texts = missed(2 * UNCONFIRMED)
    frames = ann.new_frames()
    chat.connect("bob").post("more")
    world.run(HEARTBEAT_INTERVAL)
    frames += ann.new_frames()
    assert len(frames) <= UNCONFIRMED
    assert texts_in(frames) == texts[: 2 * PAGE]


def test_a_client_that_confirms_nothing_is_closed_and_continues_later(chat, world, missed):
    ann, texts = missed(UNCONFIRMED + 2)
    frames = ann.new_frames()
    world.run(RECEIPT_TIMEOUT)
    assert ann.client.closed is None
    world.run(HEARTBEAT_INTERVAL)
    assert (ann.client.closed, ann.new_messages()) == (4413, [])
    again = chat.connect("ann", seen=[frame["id"] for frame in frames if "id" in frame][-1])
    assert texts_in(frames) + again.new_messages() == texts


@pytest.mark.parametrize("answer", ["0" * 16, "", "null", '{"confirm": true}'])
def test_a_client_cannot_guess_the_key_of_a_receipt(missed, answer):
    ann, _ = missed(2 * UNCONFIRMED)
    ann.new_frames()
    ann.client.send(answer)
    assert ann.new_messages() == []


# The beginning and the end of a connection


def test_a_client_is_accepted_before_the_first_query(chat, world, monkeypatch):
    def unreachable(client):
        raise ConnectionError("The database is unreachable.")

    monkeypatch.setattr(store, "join", unreachable)
    with pytest.raises(ConsumerFault, match="The database is unreachable"):
        chat.connect()
    assert world.clients[0].accepted


def nothing_is_left():
    return not get_channel_layer().groups and not Presence.objects.exists()


@pytest.mark.parametrize("end", ["begin_disconnect", "crash", "kill"])
def test_leaves_no_group_and_no_row_however_the_connection_ends(chat, world, end):
    ann = chat.join("ann")
    groups = sorted(group.partition("-user")[0] for group in get_channel_layer().groups)
    assert groups == ["chat", "chat-room-lobby"]

    async def act():
        ended = getattr(ann.client._served, end)()
        assert ended is None or await ended is None

    world.call(act)
    assert nothing_is_left()


def test_leaves_the_room_even_if_a_busy_server_cancels_again_and_again(chat, world):
    served = chat.join().client._served
    served.is_judged = True  # it ends without a disconnect event, so nothing more is checked

    async def cancel():
        for _ in range(50):  # Daphne cancels each second until the application has ended
            served.future.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([served.future])

    world.call(cancel)
    assert nothing_is_left()
