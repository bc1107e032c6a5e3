"""Lesson 19, Account: a connection closes when its session ends, and at no other time."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.routing import websocket_urlpatterns

PATH = "/ws/auth/logout/"
ENDED = {"type": "websocket.close", "code": 4401}
application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


def browser_of(name):
    """A browser in which this user is logged in."""
    user, _ = User.objects.get_or_create(username=name)
    browser = Client()
    browser.force_login(user)
    return browser


async def connect(browser=None):
    cookies = browser.cookies.output(header="", sep=";").strip() if browser else ""
    client = WebsocketCommunicator(application, PATH, headers=[(b"cookie", cookies.encode())])
    connected, _ = await client.connect()
    assert connected
    return client


async def user_of(client):
    await client.send_to("who?")
    return await client.receive_from()


@pytest.mark.django_db(transaction=True)
def test_answers_with_the_name_of_the_user():
    async def conversation(ada):
        client, anonymous = await connect(ada), await connect()
        assert await user_of(client) == "ada"
        assert await user_of(anonymous) == "nobody"
        await client.disconnect()
        await anonymous.disconnect()

    async_to_sync(conversation)(browser_of("ada"))


@pytest.mark.django_db(transaction=True)
def test_a_logout_over_http_closes_the_connections_of_the_session_and_no_other():
    async def conversation(desk, phone, grace):
        ended = [await connect(desk), await connect(desk)]
        others = [await connect(phone), await connect(grace), await connect()]
        await sync_to_async(desk.logout)()
        assert [await client.receive_output() for client in ended] == [ENDED, ENDED]
        assert [await user_of(client) for client in others] == ["ada", "grace", "nobody"]
        for client in others:
            await client.disconnect()

    async_to_sync(conversation)(browser_of("ada"), browser_of("ada"), browser_of("grace"))


@pytest.mark.django_db(transaction=True)
def test_a_logout_over_one_connection_closes_the_other_too():
    async def conversation(browser):
        one, other = await connect(browser), await connect(browser)
        await one.send_to("logout")
        assert await one.receive_from() == "nobody"
        assert [await client.receive_output() for client in (one, other)] == [ENDED, ENDED]

    async_to_sync(conversation)(browser_of("ada"))


# ── What only the strict communicator sees ──
# The stock communicator reports neither a consumer that goes on after it has closed nor a group
# that a consumer has not left. It cannot log out at one moment of the handshake either.

import asyncio
import os
import subprocess
import sys
from unittest import mock

from channels.auth import login
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import InMemoryChannelLayer
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_save
from django.http import HttpRequest

from auth_demo import signals
from lessons.workshop.engine.world.channel_layer import fresh_layers
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator


@pytest.fixture
def layer():
    with fresh_layers() as layer:
        yield layer


@pytest.fixture
async def database(layer):
    async with fresh_database() as fresh:
        yield fresh


def new_client(headers=(), served=application, path=PATH):
    return StrictCommunicator(served, path, list(headers))


def text_frame(text):
    return {"type": "websocket.send", "text": text}


async def enter(client, name):
    assert await client.connect() == (True, None)
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


async def test_a_binary_frame_gets_the_name_too(database):
    async with new_client(await database.log_in("ada")) as ada:
        await enter(ada, "ada")
        await ada.send_to(bytes_data=b"\0")
        ada.expect(text_frame("ada"))


async def test_a_frame_after_the_end_of_the_session_is_not_answered(database):
    headers = await database.log_in("ada")
    async with new_client(headers) as client:
        await enter(client, "ada")
        await sync_to_async(log_out)(headers)
        await asyncio.get_running_loop().wait_until_idle()
        client.input_queue.put_nowait({"type": "websocket.receive", "text": "?"})
        await ends(client)


async def test_a_logout_over_the_socket_ends_only_its_session(database):
    desk, phone = await database.log_in("ada"), await database.log_in("ada")
    async with new_client(desk) as one, new_client(desk) as other:
        await enter(one, "ada")
        await enter(other, "ada")
        await one.send_to(text_data="logout")
        await ends(one, text_frame("nobody"))
        await ends(other)
        assert not await Session.objects.filter(pk=key_in(desk)).aexists()
        assert await Session.objects.filter(pk=key_in(phone)).aexists()


async def test_a_session_that_ends_during_the_handshake_is_noticed(database):
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
    headers, sent = await database.log_in("ada"), []
    layer = mock.Mock()

    async def group_send(group, message):
        sent.append((group, message["type"]))

    layer.group_send = group_send

    def act():
        with mock.patch.object(signals, "get_channel_layer", return_value=layer):
            with transaction.atomic():
                log_out(headers)
                assert sent == []
            assert sent == [(signals.group_of_session(key_in(headers)), "session.over")]

    await sync_to_async(act)()


async def test_a_logout_succeeds_while_the_layer_is_unreachable(database, caplog):
    headers = await database.log_in("ada")
    layer = mock.Mock(group_send=mock.AsyncMock(side_effect=ConnectionError("no Redis")))
    with mock.patch.object(signals, "get_channel_layer", return_value=layer):
        await sync_to_async(log_out)(headers)
    assert not await Session.objects.aexists()
    assert "no Redis" in caplog.text


@pytest.mark.parametrize("end", ["crash", "kill"])
async def test_leaves_its_own_group_however_it_ends(database, layer, end):
    headers = await database.log_in("ada")
    async with new_client(headers) as client, new_client(await database.log_in("grace")) as grace:
        await enter(client, "ada")
        [own] = layer.groups
        assert own.startswith("session-")
        assert key_in(headers) not in f"{own}{client.transcript}"
        await enter(grace, "grace")
        await getattr(client, end)()
        [left] = [name for name, members in layer.groups.items() if members]
        assert left != own


# Claims of the lesson about Django and Channels


async def test_user_logged_out_is_sent_before_the_session_is_deleted(database):
    headers, seen = await database.log_in("ada"), []

    def look(sender, request, **kwargs):
        seen.append(Session.objects.filter(pk=key_in(headers)).exists())

    user_logged_out.connect(look)
    await sync_to_async(log_out)(headers)
    assert seen == [True]
    assert not await Session.objects.aexists()


async def test_an_update_of_a_queryset_sends_no_signal(database):
    await database.log_in("ada")
    seen = []

    def look(sender, instance, **kwargs):
        seen.append(instance.is_active)

    post_save.connect(look, sender=User)
    await User.objects.aupdate(is_active=False)
    assert seen == []
    await (await User.objects.aget()).asave()
    assert seen == [False]


class LoginConsumer(AsyncConsumer):
    """Logs ada in at the first frame, and saves the session at the second one."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        if self.scope["user"].is_authenticated:
            await self.scope["session"].asave()
        else:
            await login(self.scope, await User.objects.aget(username="ada"))

    async def websocket_disconnect(self, event):
        raise StopConsumer()


async def test_a_login_over_the_socket_is_not_saved_until_the_consumer_saves_it(database):
    await User.objects.acreate(username="ada")
    served = AuthMiddlewareStack(LoginConsumer.as_asgi())
    async with new_client(served=served) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="log in")
        await client.receive_nothing(timeout=0)
        assert "_auth_user_id" not in (await Session.objects.aget()).get_decoded()
        await client.send_to(text_data="save")
        await client.receive_nothing(timeout=0)
        assert "_auth_user_id" in (await Session.objects.aget()).get_decoded()


async def test_a_login_over_the_socket_has_a_key_that_the_browser_does_not_know(database):
    await User.objects.acreate(username="ada")
    headers = await database.start_session(theme="dark")
    served = AuthMiddlewareStack(LoginConsumer.as_asgi())
    async with new_client(headers, served) as client:
        assert await client.connect() == (True, None)
        await client.send_to(text_data="log in")
        await client.send_to(text_data="save")
        await client.receive_nothing(timeout=0)
        [key] = [session.pk async for session in Session.objects.all()]
        assert key != key_in(headers)


def test_the_app_config_connects_the_receiver():
    program = """
import django, sys
django.setup()
from django.db.models.signals import post_delete
assert "auth_demo.consumers" not in sys.modules
assert any(entry[1]().__module__ == "auth_demo.signals" for entry in post_delete.receivers)
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "lessons.settings"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
