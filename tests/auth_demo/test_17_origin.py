"""Lesson 17, Inbox: it trusts the cookie. Only a validator in front of it checks the origin."""

import pytest
from asgiref.sync import async_to_sync
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.routing import websocket_urlpatterns

PATH = "/ws/auth/origin/"
HOSTILE = "http://evil.lessons.localhost:8666"
stack = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


async def accept(scope, receive, send):
    """Accept every handshake, without a query."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


def answer_to(application, origin):
    """What the stock communicator returns for a handshake from a page of this origin."""

    async def conversation():
        headers = [] if origin is None else [(b"origin", origin.encode())]
        client = WebsocketCommunicator(application, PATH, headers=headers)
        answer = await client.connect()
        await client.disconnect()
        return answer

    return async_to_sync(conversation)()


@pytest.mark.django_db(transaction=True)
def test_any_page_receives_the_letters_of_its_user():
    async def conversation(name, cookie):
        headers = [(b"cookie", cookie), (b"origin", HOSTILE.encode())]
        client = WebsocketCommunicator(stack, PATH, headers=headers)
        await client.connect()
        assert await client.receive_from() == f"Letters for {name}: 3"
        await client.disconnect()

    for name in ("ada", "grace"):
        browser = Client()
        browser.force_login(User.objects.create(username=name))
        cookie = browser.cookies.output(header="", sep=";").strip().encode()
        async_to_sync(conversation)(name, cookie)


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://lessons.localhost:8000", True),
        ("http://lessons.localhost:8666", True),  # the port is ignored
        ("https://LOCALHOST", True),  # the scheme is ignored
        (HOSTILE, False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
def test_allowed_hosts_are_compared_as_hosts(settings, origin, accepted):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "lessons.localhost"]
    assert answer_to(AllowedHostsOriginValidator(accept), origin)[0] is accepted


def test_a_rejection_carries_no_reason(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    assert answer_to(AllowedHostsOriginValidator(accept), HOSTILE) == (False, 1000)


@pytest.mark.parametrize(
    ("allowed", "origin", "accepted"),
    [
        ("https://a.test", "https://a.test", True),
        ("https://a.test", "https://a.test:443", True),
        ("https://a.test", "https://a.test:8443", False),
        ("https://a.test", "http://a.test", False),
        ("https://a.test", "https://b.a.test", False),
        ("https://.a.test", "https://b.a.test", True),
        ("https://.a.test", "https://a.test", True),
        ("https://.a.test", "https://b-a.test", False),
        ("https://.a.test:8443", "https://a.test:8443", True),
        ("a.test", "http://a.test:81", True),
        ("https://*.a.test", "https://b.a.test", False),
        ("*", "null", True),
        ("*", None, True),
        ("https://a.test", "https://a.test:0", False),
        (".a.test", "null", False),
        ("https://.a.test", None, False),
    ],
)
def test_whole_origins_are_compared_as_a_whole(allowed, origin, accepted):
    assert answer_to(OriginValidator(accept, [allowed]), origin)[0] is accepted


# ── What only the strict communicator sees ──
# The stock communicator does not report that a consumer never stops, nor that a handler raises an
# exception for a frame whose answer no test reads.

from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator

LETTERS = {"type": "websocket.send", "text": "Letters for ada: 3"}
NOT_LOGGED_IN = {"type": "websocket.close", "code": 4401}


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


def new_client(application, headers):
    return StrictCommunicator(application, PATH, list(headers))


async def test_an_anonymous_user_is_closed_with_4401(database):
    async with new_client(stack, ()) as client:
        assert await client.connect() == (True, None)
        client.expect(NOT_LOGGED_IN)
        assert client.finished


@pytest.mark.parametrize("frame", [{"text_data": "hello"}, {"text_data": ""}, {"bytes_data": b""}])
async def test_frames_are_ignored(database, frame):
    async with new_client(stack, await database.log_in("ada")) as client:
        await client.connect()
        client.expect(LETTERS)
        await client.send_to(**frame)
        client.expect()


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_stops_when_the_client_leaves(database, code):
    async with new_client(stack, await database.log_in("ada")) as client:
        await client.connect()
        client.unread.clear()
        await client.disconnect(code)
        assert client.finished


async def test_an_invalid_port_raises_an_exception_and_opens_no_socket():
    validator = OriginValidator(stack, ["https://a.test"])
    for origin in (b"https://a.test:x", b"https://a.test:99999"):
        async with new_client(validator, [(b"origin", origin)]) as client:
            with pytest.raises(AssertionError, match="ValueError: Port"):
                await client.connect()


async def test_a_header_that_is_str_instead_of_bytes_is_ignored(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    validator = AllowedHostsOriginValidator(stack)
    async with new_client(validator, [("origin", "http://localhost")]) as client:
        assert await client.connect() == (False, 1000)
