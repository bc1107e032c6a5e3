"""Lesson 21, Account: a connection closes when its session ends, and at no other time."""

import sys

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from auth_demo.asgi import application as demo
from auth_demo.signals import group_of_session

pytestmark = pytest.mark.django_db(transaction=True)
SESSION_OVER = {"type": "websocket.close", "code": 4401}


def browser_of(name):
    browser = Client()
    browser.force_login(User.objects.get_or_create(username=name)[0])
    return browser


@pytest.fixture
def desk():
    """A browser in which ada is logged in."""
    return browser_of("ada")


@pytest.fixture
def others():
    """Another browser of ada, a browser of grace, and one without a login."""
    return [browser_of("ada"), browser_of("grace"), Client()]


def new_client(browser):
    cookie = browser.cookies.output(attrs=[], header="").strip().encode()
    headers = [(b"cookie", cookie), (b"origin", b"http://localhost")]
    return WebsocketCommunicator(demo, "/ws/auth/logout/", headers=headers)


async def name_of(client):
    await client.send_to("who?")
    return await client.receive_from()


async def test_a_logout_over_http_closes_the_connections_of_the_session_and_no_other(desk, others):
    ended, still_open = [new_client(desk), new_client(desk)], [new_client(it) for it in others]
    for client in ended + still_open:
        assert await client.connect() == (True, None)
    await sync_to_async(desk.logout)()
    assert [await client.receive_output() for client in ended] == [SESSION_OVER, SESSION_OVER]
    assert [await name_of(client) for client in still_open] == ["ada", "grace", "nobody"]
    for client in still_open:
        await client.disconnect()
    assert not get_channel_layer().groups


async def test_a_logout_over_one_connection_closes_the_other_too(desk):
    one, other = new_client(desk), new_client(desk)
    await one.connect()
    await other.connect()
    await one.send_to("logout")
    assert await one.receive_from() == "nobody"
    assert [await one.receive_output(), await other.receive_output()] == [SESSION_OVER] * 2
    assert not await Session.objects.aexists()


async def test_a_session_that_ends_during_the_handshake_is_noticed(desk, monkeypatch):
    join = get_channel_layer().group_add

    async def log_out_and_join(group, channel):
        await sync_to_async(desk.logout)()
        await join(group, channel)

    monkeypatch.setattr(get_channel_layer(), "group_add", log_out_and_join)
    client = new_client(desk)
    assert await client.connect() == (True, None)
    assert await client.receive_output() == SESSION_OVER
    await client.wait()
    assert not client.future.cancelled()  # the consumer has stopped, and answers no later frame


async def test_a_deletion_that_is_rolled_back_closes_no_connection(desk):
    @transaction.atomic
    def delete_and_roll_back():
        Session.objects.get().delete()
        transaction.set_rollback(True)

    client = new_client(desk)
    await client.connect()
    await sync_to_async(delete_and_roll_back)()
    assert await name_of(client) == "ada"
    await client.disconnect()


async def test_a_logout_succeeds_while_the_layer_is_unreachable(desk, monkeypatch, caplog):
    async def fail(group, message):
        raise ConnectionError("no Redis")

    monkeypatch.setattr(get_channel_layer(), "group_send", fail)
    await sync_to_async(desk.logout)()
    assert not await Session.objects.aexists()
    assert "no Redis" in caplog.text


def test_the_name_of_the_group_does_not_contain_the_key_of_the_session():
    assert "secret" not in group_of_session("secret")


def test_every_process_imports_the_signal_receiver(monkeypatch):
    monkeypatch.setitem(sys.modules, "auth_demo.signals", None)  # from now on, its import fails
    with pytest.raises(ImportError):
        apps.get_app_config("auth_demo").ready()
