"""Lesson 18, TicketMiddleware: a ticket opens one connection for its user, within 30 seconds."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import AsyncClient
from django.urls import reverse

from auth_demo.consumers import Welcome
from auth_demo.routing import ticket_urlpatterns
from auth_demo.tickets import TicketMiddleware, issue
from lessons.judge import StrictCommunicator
from lessons.simulator.cache import fresh_cache
from lessons.simulator.database import fresh_database
from lessons.simulator.interleaving import interleaving
from tests.support.interleaving import each_point

PATH = "/ws/auth/ticket/"
REJECTED, IN = (False, 1000), (True, None)


def door():
    return TicketMiddleware(Welcome.as_asgi())


@pytest.fixture(autouse=True)
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


async def test_a_ticket_works_once(ticket):
    assert await answer(f"?ticket={ticket}") == IN
    assert await answer(f"?ticket={ticket}") == REJECTED


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


async def test_a_ticket_expires_after_half_a_minute(ticket, ada):
    with mock.patch("time.time", return_value=time.time() + 25):
        assert await answer(f"?ticket={ticket}") == IN
    late = await sync_to_async(issue)(ada)
    with mock.patch("time.time", return_value=time.time() + 32):
        assert await answer(f"?ticket={late}") == REJECTED


@pytest.mark.parametrize(
    "query", ["", "?", "?ticket=", "?ticket=a:b:c", "?ticket=%E2%98%83", "?x=y"]
)
async def test_rejects_a_client_without_a_ticket(query):
    assert await answer(query) == REJECTED


async def test_rejects_a_changed_ticket_and_keeps_the_original_valid(ticket):
    assert await answer(f"?ticket={ticket}x") == REJECTED
    assert await answer(f"?ticket=x{ticket}") == REJECTED
    assert await answer(f"?ticket={ticket}") == IN


async def test_rejects_a_ticket_that_the_cache_has_lost(ticket):
    await cache.aclear()
    assert await answer(f"?ticket={ticket}") == REJECTED


async def test_the_user_is_asked_for_as_it_is_now(ticket, ada):
    await User.objects.aupdate(is_active=False)
    assert await answer(f"?ticket={ticket}") == REJECTED
    other = await sync_to_async(issue)(ada)
    await sync_to_async(User.objects.all()._raw_delete)("default")
    assert await answer(f"?ticket={other}") == REJECTED


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


async def test_is_routed_at_its_path(ticket):
    application = URLRouter(ticket_urlpatterns)
    async with StrictCommunicator(application, f"{PATH}?ticket={ticket}") as one:
        assert await one.connect() == IN


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
