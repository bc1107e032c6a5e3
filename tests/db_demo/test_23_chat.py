"""Lesson 23: a chat with rooms (LiveChat), history (ReplayChat), presence (Chat, GenericChat)."""

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.urls import path

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat, LiveChat, ReplayChat
from db_demo.models import Message, Room

pytestmark = pytest.mark.django_db(transaction=True)
with_rooms = pytest.mark.parametrize("chat", [LiveChat, ReplayChat, Chat, GenericChat])
with_history = pytest.mark.parametrize("chat", [ReplayChat, Chat, GenericChat])
TOO_LONG = '{"message": "%s"}' % ("x" * 2001)
WRONG_TEXTS = ["", "{}", "[]", "null", '{"message": 1}', '{"message": "\\ud800"}', TOO_LONG]


def new_client(chat, url, user=None):
    client = WebsocketCommunicator(URLRouter([path("<str:room>/", chat.as_asgi())]), url)
    client.scope["user"] = user or AnonymousUser()
    return client


async def enter(chat, url="/lobby/", user=None):
    client = new_client(chat, url, user)
    assert await client.connect() == (True, None)
    return client


async def save(*texts, room="lobby"):
    room, _ = await Room.objects.aget_or_create(name=room)
    return [(await room.messages.acreate(text=text)).id for text in texts]


@with_rooms
async def test_a_message_reaches_each_client_in_the_room(chat):
    ada = await User.objects.acreate(username="ada")
    one, two, other = await enter(chat, user=ada), await enter(chat), await enter(chat, "/attic/")
    await one.send_json_to({"message": "🦊" * 2000})
    for frame in (await one.receive_json_from(), await two.receive_json_from()):
        assert (frame["message"], frame["by"]) == ("🦊" * 2000, "ada")
    await other.send_json_to({"message": "in the attic"})
    assert (await other.receive_json_from())["message"] == "in the attic"
    for client in (one, two, other):
        await client.disconnect()


@with_rooms
async def test_an_invalid_frame_gets_an_error_and_the_client_stays(chat):
    client = await enter(chat)
    for frame in [{"bytes": b"{}"}, *({"text": text} for text in WRONG_TEXTS)]:
        await client.send_input({"type": "websocket.receive", **frame})
        error = await client.receive_json_from()
        assert error == {"error": 'Send {"message": "..."} with 2000 characters at most.'}
    await client.disconnect()
    assert not await Message.objects.aexists()


@with_rooms
async def test_rejects_a_private_room_and_a_name_that_no_group_can_have(chat):
    await Room.objects.acreate(name="den", is_private=True)
    for room in ("den", "two%20words", "x" * 51, "caf%C3%A9", "lobby%0A"):
        assert await new_client(chat, f"/{room}/").connect() == (False, 1000)


@with_history
async def test_a_client_that_returns_receives_what_it_missed(chat):
    ada = await User.objects.acreate(username="ada")
    first, second = await save("one", "two")
    await save("of another room", room="attic")
    writer = await enter(chat, user=ada)
    await writer.send_json_to({"message": "three"})
    sent = await writer.receive_json_from()
    assert sent == {"message": "three", "id": (await Message.objects.alast()).id, "by": "ada"}
    back = await enter(chat, f"/lobby/?seen={first}")
    missed = [await back.receive_json_from(), await back.receive_json_from()]
    assert missed == [{"message": "two", "id": second, "by": None}, sent]
    await writer.disconnect()
    await back.disconnect()


@with_history
async def test_a_lost_message_of_the_layer_loses_nothing_and_a_repeated_one_sends_nothing(chat):
    client = await enter(chat)
    await save("saved by another server")
    for _ in range(3):
        await get_channel_layer().group_send("db-chat-lobby", {"type": "chat.saved"})
    await client.send_json_to({"message": "mine"})
    for text in ("saved by another server", "mine"):
        assert (await client.receive_json_from())["message"] == text
    await client.disconnect()


@with_history
async def test_the_page_of_the_channels_tutorial_receives_only_new_messages(chat):
    await save("old")
    for query in ("", "?seen=", "?seen=x", "?seen=-1", f"?seen={'9' * 19}"):
        page = await enter(chat, f"/lobby/{query}")  # the page sends no ?seen=
        await page.send_json_to({"message": "new"})
        assert (await page.receive_json_from())["message"] == "new"
        await page.disconnect()
        assert await page.receive_nothing(timeout=0)  # and not who is in the room


@pytest.mark.parametrize("chat", [Chat, GenericChat])
async def test_each_client_receives_who_is_in_the_room(chat):
    ada = await User.objects.acreate(username="ada")
    client = await enter(chat, "/lobby/?seen=0", ada)
    assert await client.receive_json_from() == {"here": ["ada"], "guests": 0}
    guest = await enter(chat, "/lobby/?seen=0")
    assert await client.receive_json_from() == {"here": ["ada"], "guests": 1}
    tab = await enter(chat, "/lobby/?seen=0", ada)  # a second tab of ada
    assert await client.receive_json_from() == {"here": ["ada"], "guests": 1}
    await guest.disconnect()
    assert await client.receive_json_from() == {"here": ["ada"], "guests": 0}
    await tab.disconnect()
    await client.disconnect()
