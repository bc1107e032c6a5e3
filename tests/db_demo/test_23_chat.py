"""Lesson 23: the chat in three steps, on the raw consumer and on the generic consumer."""

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat, LiveChat, ReplayChat

both = pytest.mark.parametrize("consumer", [Chat, GenericChat])


def open_chat(consumer, query="", user=None, room="lobby"):
    """A client of this consumer. Like a server with AuthMiddleware, it adds a user."""
    application = URLRouter([path("<str:room>/", consumer.as_asgi())])

    async def with_user(scope, receive, send):
        await application({**scope, "user": user or AnonymousUser()}, receive, send)

    return WebsocketCommunicator(with_user, f"/{room}/{query}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("consumer", [LiveChat, ReplayChat, Chat, GenericChat])
def test_a_message_reaches_each_client_in_the_room(consumer):
    ada = User.objects.create(username="ada")

    async def conversation():
        one, two = open_chat(consumer, user=ada), open_chat(consumer)
        outside = open_chat(consumer, room="attic")
        for client in (one, two, outside):
            assert (await client.connect())[0]
        await one.send_json_to({"message": "hello"})
        for client in (one, two):
            frame = await client.receive_json_from()
            assert (frame["message"], frame["by"]) == ("hello", "ada")
        assert await outside.receive_nothing()
        for client in (one, two, outside):
            await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("consumer", [ReplayChat, Chat, GenericChat])
def test_a_client_that_returns_receives_what_it_missed(consumer):
    async def conversation():
        ada = open_chat(consumer)
        await ada.connect()
        ids = []
        for text in ("one", "two", "three"):
            await ada.send_json_to({"message": text})
            ids.append((await ada.receive_json_from())["id"])
        bob = open_chat(consumer, f"?seen={ids[0]}")
        await bob.connect()
        missed = [await bob.receive_json_from() for _ in range(2)]
        assert missed == [
            {"message": "two", "id": ids[1], "by": None},
            {"message": "three", "id": ids[2], "by": None},
        ]
        for client in (ada, bob):
            await client.disconnect()

    async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("consumer", [ReplayChat, Chat, GenericChat])
def test_each_client_has_its_own_last_id(consumer):
    async def conversation():
        ada = open_chat(consumer)
        await ada.connect()
        await ada.send_json_to({"message": "old"})
        last = (await ada.receive_json_from())["id"]
        bob, outside = (
            open_chat(consumer, f"?seen={last}"),
            open_chat(consumer, "?seen=0", room="attic"),
        )
        await bob.connect()
        await outside.connect()
        await ada.send_json_to({"message": "new"})
        while "message" not in (frame := await bob.receive_json_from()):
            pass  # who is in the room
        assert frame["message"] == "new"
        for client in (ada, bob, outside):
            await client.disconnect()

    async_to_sync(conversation)()


@both
@pytest.mark.django_db(transaction=True)
def test_a_join_that_fails_ends_with_its_own_error(consumer):
    class Broken(consumer):
        async def join(self):
            raise ValueError("the join failed")

    async def conversation():
        client = open_chat(Broken)
        await client.connect()
        with pytest.raises(ValueError, match="the join failed"):
            await client.wait()

    async_to_sync(conversation)()


@both
@pytest.mark.django_db(transaction=True)
def test_each_client_receives_who_is_in_the_room(consumer):
    users = [User.objects.create(username=name) for name in ("ada", "bob")]

    async def conversation():
        ada, bob = (open_chat(consumer, "?seen=0", user) for user in users)
        await ada.connect()
        assert await ada.receive_json_from() == {"here": ["ada"], "guests": 0}
        await bob.connect()
        assert await ada.receive_json_from() == {"here": ["ada", "bob"], "guests": 0}
        await bob.disconnect()
        assert await ada.receive_json_from() == {"here": ["ada"], "guests": 0}
        await ada.disconnect()

    async_to_sync(conversation)()


@both
@pytest.mark.django_db(transaction=True)
def test_the_page_of_the_channels_tutorial_understands_every_frame(consumer):
    async def conversation():
        page, other = open_chat(consumer), open_chat(consumer, "?seen=0")
        await page.connect()  # the page of the tutorial sends no ?seen= and reads data.message
        await other.connect()
        await page.send_json_to({"message": "hello"})
        assert (await page.receive_json_from())["message"] == "hello"
        await other.disconnect()
        assert await page.receive_nothing()
        await page.disconnect()

    async_to_sync(conversation)()


# ── What only the strict communicator sees ──
# A consumer that keeps its group or its task after a crash or a cancel, and a message that is saved
# at exactly the wrong moment. The stock communicator neither cancels like Daphne nor holds queries.

from datetime import timedelta

from channels.layers import get_channel_layer
from django.utils import timezone

from db_demo.chat import store
from db_demo.chat.raw import HEARTBEAT_INTERVAL
from db_demo.models import Message, Presence, Room
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.judge import StrictCommunicator
from tests.support.chat_client import APPLICATION, chat_at
from tests.support.interleaving import each_point
from tests.support.simulated_time import wait

ADA_IS_HERE = {"here": ["ada"], "guests": 0}


@pytest.fixture(params=["db/chat", "db/generic-chat"])
async def chat(request):
    async with chat_at(request.param) as chat:
        yield chat


def save(*texts, room="lobby"):
    row, _ = Room.objects.get_or_create(name=room)
    return [row.messages.create(text=text).id for text in texts]


async def test_a_message_is_saved_with_its_author_and_room(chat):
    ada = await chat.join("ada")
    await ada.post("hello ☃")
    row = await chat.database.do(Message.objects.select_related("room", "author").get)
    assert (row.text, row.author.username, row.room.name) == ("hello ☃", "ada", "lobby")
    assert ada.new_frames() == [{"message": "hello ☃", "id": row.id, "by": "ada"}]


LONG = f'{{"message": "{"x" * 2001}"}}'


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"message": 1}', '{"message": "\\ud800"}', LONG]
)
async def test_an_invalid_frame_gets_an_error_and_the_client_stays(chat, text):
    ada, bob = await chat.join("ada"), await chat.join("bob")
    await ada.client.send_input({"type": "websocket.receive", "text": text})
    await ada.client.send_to(bytes_data=b"\xff")
    assert (
        ada.new_frames() == [{"error": 'Send {"message": "..."} with 2000 characters at most.'}] * 2
    )
    await ada.post("hello")
    assert bob.new_messages() == ["hello"]


async def test_a_message_may_have_2000_characters(chat):
    ada = await chat.join("ada")
    await ada.post("🦊" * 2000)
    assert ada.new_messages() == ["🦊" * 2000]


@pytest.mark.parametrize("room", ["two%20words", "x" * 51, "caf%C3%A9", "lobby%0A"])
async def test_a_room_name_that_no_group_can_have_is_rejected(chat, room):
    async with StrictCommunicator(APPLICATION, chat.path(room)) as client:
        assert (await client.connect())[0] is False


async def test_a_private_room_admits_no_client(chat):
    await chat.make_private("den", "ada")
    headers = await chat.database.log_in("ada")
    async with StrictCommunicator(APPLICATION, chat.path("den"), headers) as client:
        assert (await client.connect())[0] is False
    assert await chat.database.do(Presence.objects.count) == 0


async def test_the_message_of_a_deleted_account_has_no_author(chat):
    ada, bob = await chat.join("ada"), await chat.join("bob")
    await chat.database.do(User.objects.filter(username="ada").delete)
    await ada.post("hello")
    assert [frame["by"] for frame in bob.new_frames() if "message" in frame] == [None]


# History


async def test_a_client_receives_the_messages_of_its_room_in_the_order_of_ids(chat):
    await chat.database.do(save, "one", "two")
    await chat.database.do(save, "other", room="attic")
    await chat.database.do(save, "three")
    assert (await chat.connect(seen=0)).new_messages() == ["one", "two", "three"]


@pytest.mark.parametrize("seen", [None, "", "x", "-1", "1.5", "9" * 19])
async def test_a_client_without_a_valid_id_receives_only_new_messages(chat, seen):
    await chat.database.do(save, "old")
    classic = await chat.connect(seen=seen)
    await classic.post("new")
    assert [frame["message"] for frame in classic.new_frames()] == ["new"]


async def test_a_lost_layer_message_loses_no_message(chat):
    ada = await chat.join("ada")
    await chat.database.do(save, "one", "two")
    await ada.post("three")
    assert ada.new_messages() == ["one", "two", "three"]


async def test_a_repeated_layer_message_sends_nothing_twice(chat):
    ada = await chat.join("ada")
    await ada.post("hello")
    for _ in range(2):
        await get_channel_layer().group_send("db-chat-lobby", {"type": "chat.saved"})
    await wait(0)
    assert ada.new_messages() == ["hello"]


async def test_a_message_that_is_saved_while_a_client_connects_is_sent_once(chat):
    await chat.database.do(save, "old")

    async def save_new():
        await chat.database.do_in_other_process(save, "new")
        await get_channel_layer().group_send("db-chat-lobby", {"type": "chat.saved"})

    async with interleaving() as moments:
        for _ in each_point(moments, save_new):
            client = await chat.connect(seen=1)
            await wait(0)
            is_saved = await chat.database.do(Message.objects.filter(id__gt=1).exists)
            assert client.new_messages() == ["new"] * is_saved
            await client.leave()
            await chat.database.do(Message.objects.filter(id__gt=1).delete)


# Presence


async def test_two_tabs_are_one_name_until_both_are_closed(chat):
    ada = await chat.join("ada")
    first, second = await chat.connect("bob"), await chat.connect("bob")
    guest = await chat.connect()
    assert ada.new_frames()[-1] == {"here": ["ada", "bob"], "guests": 1}
    for client in (first, guest):
        await client.leave()
    assert ada.new_frames()[-1] == {"here": ["ada", "bob"], "guests": 0}
    await second.leave()
    assert ada.new_frames() == [ADA_IS_HERE]


@pytest.mark.parametrize("end", ["disconnect", "crash", "kill"])
async def test_leaves_the_room_however_the_connection_ends(chat, layer, end):
    ada, bob = await chat.join("ada"), await chat.join("bob")
    await getattr(bob.client, end)()
    assert ada.new_frames() == [ADA_IS_HERE]
    await ada.leave()
    assert not layer.groups
    assert await chat.database.do(Presence.objects.count) == 0


async def test_the_row_of_a_killed_process_expires(chat):
    ada, bob = await chat.join("ada"), await chat.user("bob")
    for age, names in ((timedelta(seconds=1), ["ada", "bob"]), (store.PRESENCE_TIMEOUT, ["ada"])):
        values = {"room": "lobby", "user": bob, "seen_at": timezone.now() - age}
        await chat.database.do(
            Presence.objects.update_or_create, channel="specific.dead!1", defaults=values
        )
        await get_channel_layer().group_send("db-chat-lobby", {"type": "chat.presence"})
        await wait(0)
        assert ada.new_frames() == [{"here": names, "guests": 0}]


async def test_a_heartbeat_keeps_the_row(chat):
    assert store.PRESENCE_TIMEOUT.total_seconds() == 3 * HEARTBEAT_INTERVAL
    await chat.join("ada")
    long_ago = timezone.now() - store.PRESENCE_TIMEOUT
    await chat.database.do(Presence.objects.update, seen_at=long_ago)
    await wait(HEARTBEAT_INTERVAL)
    assert (await chat.database.do(Presence.objects.get)).seen_at > long_ago
