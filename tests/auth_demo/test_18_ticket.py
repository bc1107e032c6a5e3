"""Lesson 18, TicketMiddleware: a ticket opens one connection for its user, within 30 seconds."""

import time
from unittest import mock

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import AsyncClient, Client

from auth_demo.routing import ticket_urlpatterns
from auth_demo.tickets import TicketMiddleware, issue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("auth_demo.urls")]
demo = URLRouter(ticket_urlpatterns)
REJECTED = (False, 1000)


@pytest.fixture
def ada(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # is fast
    return User.objects.create_user("ada", password="lovelace")


@pytest.fixture
def ticket(ada):
    return issue(ada)


def new_client(query):
    return WebsocketCommunicator(demo, f"/ws/auth/ticket/?{query}")


async def test_a_ticket_works_once(ticket):
    first, second = new_client(f"ticket={ticket}"), new_client(f"ticket={ticket}")
    assert await first.connect() == (True, None)
    assert await first.receive_from() == "Welcome, ada."
    assert await second.connect() == REJECTED
    await first.disconnect()


@pytest.mark.parametrize("query", ["", "x=y", "ticket=", "ticket=a:b:c", "ticket=%E2%98%83"])
async def test_rejects_a_client_without_a_ticket(query):
    assert await new_client(query).connect() == REJECTED


async def test_rejects_a_changed_ticket_and_keeps_the_original_valid(ticket):
    for changed in (f"{ticket}x", f"x{ticket}", ticket[:-1], ticket.rpartition(":")[0]):
        assert await new_client(f"ticket={changed}").connect() == REJECTED
    client = new_client(f"ticket={ticket}")
    assert await client.connect() == (True, None)
    await client.disconnect()


@pytest.mark.parametrize(("seconds", "accepted"), [(25, True), (32, False)])
async def test_a_ticket_expires_after_half_a_minute(ticket, seconds, accepted):
    with mock.patch("time.time", return_value=time.time() + seconds):
        client = new_client(f"ticket={ticket}")
        assert (await client.connect())[0] is accepted
        await client.disconnect()


async def test_rejects_a_ticket_that_the_cache_has_lost(ticket):
    cache.clear()
    assert await new_client(f"ticket={ticket}").connect() == REJECTED


async def test_rejects_a_user_who_was_deactivated(ada, ticket):
    await User.objects.aupdate(is_active=False)
    assert await new_client(f"ticket={ticket}").connect() == REJECTED


async def test_rejects_a_user_who_was_deleted(ada, ticket):
    await ada.adelete()
    assert await new_client(f"ticket={ticket}").connect() == REJECTED


async def test_finds_the_ticket_among_other_parameters(ticket):
    client = new_client(f"ticket=old&user=grace&ticket={ticket}")
    assert await client.connect() == (True, None)
    await client.disconnect()


async def test_the_consumer_gets_a_scope_without_the_ticket(ticket):
    async def consumer(scope, receive, send):
        await send({"type": "websocket.send", "text": f"{scope['user']} {scope['query_string']}"})

    client = WebsocketCommunicator(TicketMiddleware(consumer), f"/?ticket={ticket}")
    assert await client.receive_from() == "ada b''"


async def test_no_ticket_is_in_a_log(ticket, caplog):
    caplog.set_level("DEBUG")
    client = new_client(f"ticket={ticket}")
    await client.connect()
    await client.disconnect()
    assert ticket not in caplog.text


async def test_name_and_password_get_a_ticket_that_works(ada):
    login = {"username": "ada", "password": "lovelace"}
    response = await AsyncClient().post("/auth/ticket/", login)
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    client = new_client(f"ticket={response.json()['ticket']}")
    assert await client.connect() == (True, None)
    await client.disconnect()


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("grace", "lovelace")])
def test_a_wrong_password_gets_a_403_and_no_ticket(ada, name, password):
    response = Client().post("/auth/ticket/", {"username": name, "password": password})
    assert response.status_code == 403
    assert response.json() == {"error": "wrong name or password"}


def test_the_ticket_view_allows_only_post():
    assert Client().get("/auth/ticket/").status_code == 405
