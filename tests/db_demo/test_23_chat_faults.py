"""Lesson 23: what the chat does if an account is deleted, or if a consumer fails while it joins."""

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User

from db_demo.chat.generic import GenericChat
from db_demo.chat.raw import Chat

pytestmark = pytest.mark.django_db(transaction=True)
with_presence = pytest.mark.parametrize("chat", [Chat, GenericChat])


def new_client(chat, user):
    client = WebsocketCommunicator(chat.as_asgi(), "/")
    client.scope |= {"user": user, "url_route": {"kwargs": {"room": "lobby"}}}
    return client


@with_presence
async def test_the_message_of_a_deleted_account_has_no_author(chat):
    ada = await User.objects.acreate(username="ada")
    client = new_client(chat, ada)
    await client.connect()
    await User.objects.all().adelete()
    await client.send_json_to({"message": "hello"})
    assert (await client.receive_json_from())["by"] is None
    await client.disconnect()


@with_presence
async def test_a_join_that_fails_ends_with_its_own_error(chat):
    class FailingChat(chat):
        async def join(self):
            raise ValueError("the join failed")

    client = new_client(FailingChat, AnonymousUser())
    await client.connect()
    with pytest.raises(ValueError, match="the join failed"):
        await client.wait()
