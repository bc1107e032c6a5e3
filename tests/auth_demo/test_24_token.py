"""Lesson 24, Mailbox: a token among the subprotocols connects its user, for ten minutes."""

import time
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from auth_demo.routing import ticket_urlpatterns
from auth_demo.tokens import issue

PATH = "/ws/auth/token/"
REJECTED, IN = (False, 1000), (True, "mailbox.v1")


def answer_to(*subprotocols):
    """What the stock communicator returns for a client that offers these subprotocols."""

    async def conversation():
        application = URLRouter(ticket_urlpatterns)
        client = WebsocketCommunicator(application, PATH, subprotocols=list(subprotocols))
        answer = await client.connect()
        if answer == IN:
            assert await client.receive_from() == "Letters for ada: 3"
        await client.disconnect()
        return answer

    return async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_a_token_connects_its_user_as_often_as_it_likes():
    token = issue(User.objects.create(username="ada"))
    assert answer_to("mailbox.v1", f"token.{token}") == IN
    assert answer_to(f"token.{token}", "chat", "mailbox.v1") == IN


@pytest.mark.django_db(transaction=True)
def test_rejects_a_client_without_a_valid_token():
    token = issue(User.objects.create(username="ada"))
    assert answer_to() == answer_to("mailbox.v1") == REJECTED
    for changed in ("", token[1:], f"x{token}", token[:-1], token.rpartition(".")[0]):
        assert answer_to("mailbox.v1", f"token.{changed}") == REJECTED
    assert answer_to("mailbox.v1", token) == REJECTED


@pytest.mark.django_db(transaction=True)
def test_rejects_a_client_that_does_not_know_the_protocol():
    token = issue(User.objects.create(username="ada"))
    assert answer_to(f"token.{token}") == answer_to("mailbox.v2", f"token.{token}") == REJECTED


@pytest.mark.django_db(transaction=True)
def test_a_token_expires_after_ten_minutes():
    token = issue(User.objects.create(username="ada"))
    with mock.patch("time.time", return_value=time.time() + 595):
        assert answer_to("mailbox.v1", f"token.{token}") == IN
    with mock.patch("time.time", return_value=time.time() + 602):
        assert answer_to("mailbox.v1", f"token.{token}") == REJECTED


@pytest.mark.django_db(transaction=True)
def test_the_user_is_read_at_each_handshake():
    token = issue(User.objects.create(username="ada"))
    User.objects.update(is_active=False)
    assert answer_to("mailbox.v1", f"token.{token}") == REJECTED
    User.objects.all().delete()
    assert answer_to("mailbox.v1", f"token.{token}") == REJECTED


def test_a_subprotocol_can_carry_a_token():
    """RFC 6455: a subprotocol is a token of HTTP, which has no separators such as a colon."""
    assert not set(issue(User(pk=1))) & set('()<>@,;:\\"/[]?={} \t')


# ── What only the strict communicator sees ──
# The stock communicator records no transcript in which a token could be visible.

import logging

from django.test import AsyncClient
from django.urls import reverse

from auth_demo.tokens import Mailbox
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
async def ada():
    async with fresh_database():
        yield await User.objects.acreate(username="ada")


def client(*subprotocols):
    return StrictCommunicator(Mailbox.as_asgi(), PATH, subprotocols=list(subprotocols))


async def test_answers_no_frame(ada):
    async with client("mailbox.v1", f"token.{issue(ada)}") as one:
        assert await one.connect() == IN
        one.expect({"type": "websocket.send", "text": "Letters for ada: 3"})
        await one.send_to(text_data="hello")
        one.expect()


async def test_no_token_is_in_a_transcript_or_a_log(ada, caplog):
    caplog.set_level(logging.DEBUG)
    token = issue(ada)
    async with client("mailbox.v1", f"token.{token}") as one:
        await one.connect()
        assert "token.[hidden]" in str(one.transcript)
        for part in token.split("."):
            assert part not in f"{one.transcript}{caplog.text}"


async def test_name_and_password_get_a_token_that_works(ada, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    ada.set_password("engine")
    await ada.asave()
    login = {"username": "ada", "password": "engine"}
    response = await AsyncClient().post(reverse("token"), login)
    assert "no-store" in response["Cache-Control"]
    async with client("mailbox.v1", f"token.{response.json()['token']}") as one:
        assert await one.connect() == IN
    response = await AsyncClient().post(reverse("token"), {**login, "password": "wrong"})
    assert (response.status_code, response.json()) == (403, {"error": "wrong name or password"})
    assert (await AsyncClient().get(reverse("token"))).status_code == 405
