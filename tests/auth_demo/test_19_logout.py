"""Lesson 19, Account: a socket closes when its own login ends, and at no other time."""

import asyncio
import os
import subprocess
import sys
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.layers import InMemoryChannelLayer
from channels.routing import URLRouter
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from auth_demo import signals
from auth_demo.consumers import parse_credentials
from auth_demo.routing import websocket_urlpatterns
from lessons.judge import StrictCommunicator
from lessons.simulator.channel_layer import fresh_layers
from lessons.simulator.database import fresh_database

PATH = "/ws/auth/logout/"
ENDED = {"type": "websocket.close", "code": 4401}
application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


@pytest.fixture
def layer():
    with fresh_layers() as layer:
        yield layer


@pytest.fixture(autouse=True)
async def database(layer, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    async with fresh_database() as fresh:
        yield fresh


def new_client(headers=()):
    return StrictCommunicator(application, PATH, list(headers))


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def enter(client, name="nobody"):
    assert await client.connect() == (True, None)
    await stays(client, name)


async def stays(client, name):
    await client.receive_nothing(timeout=0)
    client.expect()
    await client.send_to(text_data="?")
    client.expect(text_frame(name))


async def ends(client, *before):
    await client.receive_nothing(timeout=0)
    client.expect(*before, ENDED)
    assert client.finished


def key_in(headers):
    return headers[0][1].decode().partition("=")[2]


def log_out(headers):
    request = HttpRequest()
    request.session = SessionStore(key_in(headers))
    logout(request)


def change(**values):
    user = User.objects.get(username="ada")
    for name, value in values.items():
        setattr(user, name, value)
    user.save()


def set_password():
    user, _ = User.objects.get_or_create(username="ada")
    user.set_password("lovelace 1843")
    user.save()


async def test_answers_with_the_name_of_the_user(database):
    async with new_client(await database.log_in("ada")) as ada, new_client() as anonymous:
        await enter(ada, "ada")
        await enter(anonymous, "nobody")
        await ada.send_to(bytes_data=b"\0")
        ada.expect(text_frame("ada"))


async def test_the_end_of_a_session_closes_only_its_own_sockets(database):
    desk, phone = await database.log_in("ada"), await database.log_in("ada")
    async with (
        new_client(desk) as one,
        new_client(desk) as other,
        new_client(phone) as remote,
        new_client(await database.log_in("grace")) as grace,
        new_client() as anonymous,
    ):
        for client in (one, other, remote):
            await enter(client, "ada")
        await enter(grace, "grace")
        await enter(anonymous)
        await sync_to_async(log_out)(desk)
        await ends(one)
        await ends(other)
        await stays(remote, "ada")
        await stays(grace, "grace")
        await stays(anonymous, "nobody")


async def test_a_frame_after_the_end_of_the_session_is_not_answered(database):
    headers = await database.log_in("ada")
    async with new_client(headers) as client:
        await enter(client, "ada")
        await sync_to_async(log_out)(headers)
        await asyncio.get_running_loop().wait_until_idle()
        client.input_queue.put_nowait({"type": "websocket.receive", "text": "?"})
        await ends(client)


async def test_a_logout_over_the_socket_ends_the_session_too(database):
    desk, phone = await database.log_in("ada"), await database.log_in("ada")
    async with new_client(desk) as one, new_client(desk) as other, new_client(phone) as remote:
        for client in (one, other, remote):
            await enter(client, "ada")
        await one.send_to(text_data="logout")
        await ends(one, text_frame("nobody"))
        await ends(other)
        await stays(remote, "ada")
        assert not await Session.objects.filter(pk=key_in(desk)).aexists()
        assert await Session.objects.filter(pk=key_in(phone)).aexists()


@pytest.mark.parametrize("action", [lambda: change(is_active=False), set_password])
async def test_a_change_of_the_user_closes_all_their_sockets(database, action):
    desk, phone = await database.log_in("ada"), await database.log_in("ada")
    grace = await database.log_in("grace")
    async with new_client(desk) as one, new_client(phone) as other, new_client(grace) as grace:
        await enter(one, "ada")
        await enter(other, "ada")
        await enter(grace, "grace")
        await sync_to_async(action)()
        await ends(one)
        await ends(other)
        await stays(grace, "grace")


async def test_other_changes_close_nothing_and_are_visible(database):
    async with new_client(await database.log_in("ada")) as client:
        await enter(client, "ada")
        await database.log_in("ada")  # saves the user, with the time of the login
        await stays(client, "ada")
        await sync_to_async(change)(username="countess")
        await stays(client, "countess")


async def test_a_login_over_the_socket_is_saved_and_ends_like_any_other(database):
    await sync_to_async(set_password)()
    async with new_client() as client:
        await enter(client)
        for wrong in ({"username": "ada", "password": "x"}, {"username": "ada"}, ["ada"], "ada"):
            await client.send_json_to(wrong)
            client.expect(text_frame("nobody"))
        await client.send_json_to({"username": "ada", "password": "lovelace 1843"})
        client.expect(text_frame("ada"))
        session = await Session.objects.aget()
        assert session.get_decoded()["_auth_user_id"]
        # A second login on the same socket has no effect.
        await client.send_json_to({"username": "grace", "password": "x"})
        client.expect(text_frame("ada"))
        assert "lovelace" not in str(client.transcript)
        assert session.pk not in str(client.transcript)
        await session.adelete()
        await ends(client)


async def test_a_login_over_the_socket_ends_with_its_user_too(database):
    await sync_to_async(set_password)()
    async with new_client() as client:
        await enter(client)
        await client.send_json_to({"username": "ada", "password": "lovelace 1843"})
        client.expect(text_frame("ada"))
        await sync_to_async(change)(is_active=False)
        await ends(client)


async def test_a_login_that_ends_during_the_handshake_is_noticed(database):
    headers = await database.log_in("ada")
    join = InMemoryChannelLayer.group_add
    late = [True]

    async def after_a_logout(layer, group, channel):
        if late and late.pop():
            await sync_to_async(log_out)(headers)
        await join(layer, group, channel)

    async with new_client(headers) as client:
        with mock.patch.object(InMemoryChannelLayer, "group_add", after_a_logout):
            assert await client.connect() == (True, None)
        await ends(client)


async def test_sends_after_the_commit(database):
    sent = []
    layer = mock.Mock()

    async def group_send(group, message):
        sent.append((group, message["type"]))

    layer.group_send = group_send

    def act():
        with mock.patch.object(signals, "get_channel_layer", return_value=layer):
            with transaction.atomic():
                user = User.objects.create(username="ada")
                assert sent == []
            assert sent == [(f"user-{user.pk}", "user.changed")]

    await sync_to_async(act)()


async def test_a_logout_succeeds_while_the_layer_is_unreachable(database, caplog):
    headers = await database.log_in("ada")
    layer = mock.Mock(group_send=mock.AsyncMock(side_effect=ConnectionError("no Redis")))
    with mock.patch.object(signals, "get_channel_layer", return_value=layer):
        await sync_to_async(log_out)(headers)
    assert not await Session.objects.aexists()
    assert "no Redis" in caplog.text


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_its_groups_however_it_ends(database, layer, end):
    headers = await database.log_in("ada")
    async with new_client(headers) as client:
        await enter(client, "ada")
        members = layer.groups
        assert sorted(name.partition("-")[0] for name in members) == ["session", "user"]
        assert key_in(headers) not in f"{list(members)}{client.transcript}"
        await getattr(client, end)()
        assert not any(layer.groups.values())


# Claims of the lesson about Django and Channels


async def test_user_logged_out_is_sent_before_the_session_is_deleted(database):
    headers, seen = await database.log_in("ada"), []

    def look(sender, request, **kwargs):
        seen.append(Session.objects.filter(pk=key_in(headers)).exists())

    user_logged_out.connect(look)
    await sync_to_async(log_out)(headers)
    assert seen == [True]
    assert not await Session.objects.aexists()


async def test_an_update_of_a_queryset_sends_no_message(database):
    async with new_client(await database.log_in("ada")) as client:
        await enter(client, "ada")
        await User.objects.aupdate(is_active=False)
        await stays(client, "ada")


async def test_a_login_over_the_socket_has_a_key_that_the_browser_does_not_know(database):
    await sync_to_async(set_password)()
    headers = await database.start_session(theme="dark")
    async with new_client(headers) as client:
        await enter(client)
        await client.send_json_to({"username": "ada", "password": "lovelace 1843"})
        client.expect(text_frame("ada"))
        [key] = [session.pk async for session in Session.objects.all()]
        assert key != key_in(headers)


HALF = r'{"username": "ada", "password": "\ud800"}'


@pytest.mark.parametrize(
    "text", ["", "{", "3", "null", "[]", '{"username": "ada"}', "[" * 100_000, HALF]
)
def test_invalid_credentials_are_none(text):
    assert parse_credentials(text) is None


def test_the_app_config_connects_the_receivers():
    program = """
import django, sys
django.setup()
from django.db.models.signals import post_delete, post_save
assert "auth_demo.consumers" not in sys.modules
for signal in (post_delete, post_save):
    assert any(entry[1]().__module__ == "auth_demo.signals" for entry in signal.receivers)
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "lessons.settings"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
