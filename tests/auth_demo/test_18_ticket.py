"""Lesson 18, TicketMiddleware: a ticket opens one connection for its user, within 30 seconds."""

import time
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from auth_demo.routing import ticket_urlpatterns
from auth_demo.tickets import issue

PATH = "/ws/auth/ticket/"
REJECTED, IN = (False, 1000), (True, None)


def answers_to(*tickets):
    """What the stock communicator returns for each ticket, one client after the other."""

    async def conversation():
        answers = []
        for ticket in tickets:
            application = URLRouter(ticket_urlpatterns)
            client = WebsocketCommunicator(application, f"{PATH}?ticket={ticket}")
            answers.append(await client.connect())
            if answers[-1] == IN:
                assert await client.receive_from() == "Welcome, ada."
            await client.disconnect()
        return answers

    return async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_a_ticket_works_once():
    ticket = issue(User.objects.create(username="ada"))
    assert answers_to(ticket, ticket) == [IN, REJECTED]


@pytest.mark.django_db(transaction=True)
def test_rejects_a_changed_ticket_and_keeps_the_original_valid():
    ticket = issue(User.objects.create(username="ada"))
    assert answers_to("", "a:b:c", f"{ticket}x", f"x{ticket}", ticket) == [*[REJECTED] * 4, IN]


@pytest.mark.django_db(transaction=True)
def test_a_ticket_expires_after_half_a_minute():
    ada = User.objects.create(username="ada")
    tickets = issue(ada), issue(ada)
    with mock.patch("time.time", return_value=time.time() + 25):
        assert answers_to(tickets[0]) == [IN]
    with mock.patch("time.time", return_value=time.time() + 32):
        assert answers_to(tickets[1]) == [REJECTED]


@pytest.mark.django_db(transaction=True)
def test_the_user_is_read_again_when_a_ticket_is_used():
    ada = User.objects.create(username="ada")
    tickets = issue(ada), issue(ada)
    User.objects.update(is_active=False)
    assert answers_to(tickets[0]) == [REJECTED]
    User.objects.all().delete()
    assert answers_to(tickets[1]) == [REJECTED]


# ── What only the strict communicator sees ──
# The stock communicator cannot connect a second process between two steps of the first, and it
# records no transcript in which a ticket could be visible.

import logging
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.cache import cache
from django.test import AsyncClient
from django.urls import reverse

from auth_demo.consumers import Welcome
from auth_demo.tickets import TicketMiddleware
from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.interleaving import interleaving
from lessons.workshop.judge import StrictCommunicator
from tests.support.interleaving import each_point


def door():
    return TicketMiddleware(Welcome.as_asgi())


@pytest.fixture
async def shared():
    with fresh_cache():
        async with fresh_database() as fresh:
            yield fresh


@pytest.fixture
async def ada(shared):
    return await User.objects.acreate(username="ada")


@pytest.fixture
async def ticket(ada):
    return await sync_to_async(issue)(ada)


def client(query=""):
    return StrictCommunicator(door(), f"{PATH}{query}")


async def answer(query=""):
    async with client(query) as one:
        return await one.connect()


async def test_a_ticket_connects_its_user(ticket):
    async with client(f"?ticket={ticket}") as guest:
        assert await guest.connect() == IN
        guest.expect({"type": "websocket.send", "text": "Welcome, ada."})
        await guest.send_to(text_data="hello")
        guest.expect()


async def test_finds_the_ticket_among_other_parameters(ticket):
    assert await answer(f"?ticket=old&user=grace&ticket={ticket}") == IN


async def test_of_two_processes_at_once_only_one_accepts_the_ticket(ada):
    with ThreadPoolExecutor(1) as thread:
        door_of_other_process = door()

        async def other_process(scope, receive, send):
            async with ThreadSensitiveContext(executor=thread):
                await door_of_other_process(scope, receive, send)

        async with interleaving() as points:
            clients = []

            async def connect_to_other_process():
                clients.append(StrictCommunicator(other_process, f"{PATH}?ticket={ticket}"))
                answers.append(await clients[-1].connect())

            ticket = await sync_to_async(issue)(ada)
            for _ in each_point(points, connect_to_other_process):
                answers, ticket = [], await sync_to_async(issue)(ada)
                clients.append(client(f"?ticket={ticket}"))
                answers.append(await clients[-1].connect())
                assert answers.count(IN) == 1
            for one in clients:
                await one.leave()


@pytest.mark.parametrize(
    "query", ["", "?", "?ticket=", "?ticket=a:b:c", "?ticket=%E2%98%83", "?x=y"]
)
async def test_rejects_a_client_without_a_ticket(shared, query):
    assert await answer(query) == REJECTED


async def test_rejects_a_ticket_that_the_cache_has_lost(ticket):
    await cache.aclear()
    assert await answer(f"?ticket={ticket}") == REJECTED


async def test_the_inner_application_gets_a_scope_without_the_ticket(ticket):
    scopes = []

    async def behind(scope, receive, send):
        scopes.append(scope)
        await send({"type": "websocket.close"})

    async with StrictCommunicator(TicketMiddleware(behind), f"{PATH}?ticket={ticket}") as one:
        before = dict(one.scope)
        await one.connect()
        assert one.scope == before
    [scope] = scopes
    assert scope.pop("user").get_username() == "ada"
    assert scope == {**before, "query_string": b""}


async def test_no_ticket_is_in_a_transcript_or_a_log(ticket, caplog):
    caplog.set_level(logging.DEBUG)
    async with client(f"?ticket={ticket}") as one, client(f"?ticket={ticket}") as two:
        for each in (one, two):
            await each.connect()
        assert "ticket=[hidden]" in str(one.transcript)
        assert ticket not in f"{one.transcript}{two.transcript}{caplog.text}"


async def test_a_ticket_in_a_header_is_not_in_a_transcript_either(ticket):
    headers = [(b"authorization", f"Ticket {ticket}".encode())]
    async with StrictCommunicator(Welcome.as_asgi(), PATH, headers) as one:
        one.scope["user"] = User(username="ada")
        await one.connect()
        assert ticket not in str(one.transcript)


async def post(name, password):
    return await AsyncClient().post(reverse("ticket"), {"username": name, "password": password})


async def test_name_and_password_get_a_ticket_that_works(ada, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    ada.set_password("engine")
    await ada.asave()
    response = await post("ada", "engine")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    assert await answer(f"?ticket={response.json()['ticket']}") == IN
    for name, password in (("ada", "wrong"), ("grace", "engine")):
        response = await post(name, password)
        assert response.status_code == 403
        assert response.json() == {"error": "wrong name or password"}


async def test_the_ticket_view_allows_only_post(ada):
    assert (await AsyncClient().get(reverse("ticket"))).status_code == 405
