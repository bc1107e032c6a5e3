"""Lesson 24, Mailbox: a token among the subprotocols connects its user, for ten minutes."""

import time
from unittest import mock

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from auth_demo.routing import ticket_urlpatterns
from auth_demo.tokens import issue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("auth_demo.urls")]
demo = URLRouter(ticket_urlpatterns)
REJECTED, ACCEPTED = (False, 1000), (True, "mailbox.v1")


@pytest.fixture
def ada(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # is fast
    return User.objects.create_user("ada", password="lovelace")


@pytest.fixture
def token(ada):
    return f"token.{issue(ada)}"


def new_client(*subprotocols):
    return WebsocketCommunicator(demo, "/ws/auth/token/", subprotocols=list(subprotocols))


async def test_a_token_connects_its_user_as_often_as_it_likes(token):
    for subprotocols in (["mailbox.v1", token], [token, "chat", "mailbox.v1"]):
        client = new_client(*subprotocols)
        assert await client.connect() == ACCEPTED
        assert await client.receive_from() == "Letters for ada: 3"
        await client.disconnect()


async def test_rejects_a_client_without_a_valid_token(token):
    assert await new_client().connect() == REJECTED
    assert await new_client("mailbox.v1").connect() == REJECTED
    assert await new_client("mailbox.v1", token.removeprefix("token.")).connect() == REJECTED


async def test_rejects_a_changed_token(token):
    for changed in ("token.", token.replace("token.", "token.x"), token[:-1], f"{token}x"):
        assert await new_client("mailbox.v1", changed).connect() == REJECTED


async def test_rejects_a_client_that_does_not_know_the_protocol(token):
    assert await new_client(token).connect() == REJECTED
    assert await new_client("mailbox.v2", token).connect() == REJECTED


@pytest.mark.parametrize(("seconds", "answer"), [(595, ACCEPTED), (602, REJECTED)])
async def test_a_token_expires_after_ten_minutes(token, seconds, answer):
    with mock.patch("time.time", return_value=time.time() + seconds):
        client = new_client("mailbox.v1", token)
        assert await client.connect() == answer
        await client.disconnect()


async def test_rejects_a_user_who_was_deactivated(ada, token):
    await User.objects.aupdate(is_active=False)
    assert await new_client("mailbox.v1", token).connect() == REJECTED


async def test_rejects_a_user_who_was_deleted(ada, token):
    await ada.adelete()
    assert await new_client("mailbox.v1", token).connect() == REJECTED


async def test_a_frame_gets_no_answer(token):
    client = new_client("mailbox.v1", token)
    await client.connect()
    assert await client.receive_from() == "Letters for ada: 3"
    await client.send_to("hello")
    await client.disconnect()
    assert await client.receive_nothing(timeout=0)


def test_a_subprotocol_can_carry_a_token(token):
    """RFC 6455: a subprotocol is a token of HTTP, which has no separators such as a colon."""
    assert not set(token) & set('()<>@,;:\\"/[]?={} \t')


async def test_name_and_password_get_a_token_that_works(ada):
    login = {"username": "ada", "password": "lovelace"}
    response = await AsyncClient().post("/auth/token/", login)
    assert "no-store" in response["Cache-Control"]
    client = new_client("mailbox.v1", f"token.{response.json()['token']}")
    assert await client.connect() == ACCEPTED
    await client.disconnect()


def test_a_wrong_password_gets_a_403_and_no_token(ada):
    response = Client().post("/auth/token/", {"username": "ada", "password": "wrong"})
    assert response.status_code == 403
    assert response.json() == {"error": "wrong name or password"}
