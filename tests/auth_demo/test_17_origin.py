"""Lesson 17's worked example: it trusts the cookie; what looks at the page stands before it."""

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator

from auth_demo.routing import websocket_urlpatterns
from auth_demo.unguarded import unguarded
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database

HOSTILE = "http://evil.lessons.localhost:8666"
LETTERS = {"type": "websocket.send", "text": "Letters for ada: 3"}
NOT_LOGGED_IN = {"type": "websocket.close", "code": 4401}
stack = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


@pytest.fixture(autouse=True)
async def database():
    async with fresh_database() as fresh:
        yield fresh


def visitor(application, headers, origin=None, path="/ws/auth/origin/"):
    origins = [] if origin is None else [(b"origin", origin.encode())]
    return StrictCommunicator(application, path, [*headers, *origins])


async def accepts(application, headers, origin):
    async with visitor(application, headers, origin) as client:
        accepted, _ = await client.connect()
        client.unread.clear()
        return accepted


@pytest.fixture
def guarded(settings):
    settings.ALLOWED_HOSTS = settings.LOOPBACK
    return AllowedHostsOriginValidator(stack)


async def test_any_page_gets_the_letters_of_its_visitor(database):
    headers = await database.log_in("ada")
    for path, application in (
        ("/ws/auth/origin/", stack),
        ("/ws/auth/unguarded/origin/", unguarded),
    ):
        async with visitor(application, headers, HOSTILE, path) as client:
            assert await client.connect() == (True, None)
            client.expect(LETTERS)


async def test_each_gets_their_own_letters(database):
    headers = [await database.log_in(name) for name in ("ada", "grace")]
    async with visitor(stack, headers[0]) as ada, visitor(stack, headers[1]) as grace:
        for client, name in ((ada, "ada"), (grace, "grace")):
            await client.connect()
            assert await client.receive_from() == f"Letters for {name}: 3"


async def test_a_stranger_is_told_so():
    async with visitor(stack, ()) as client:
        assert await client.connect() == (True, None)
        client.expect(NOT_LOGGED_IN)
        assert client.finished


@pytest.mark.parametrize("frame", [{"text_data": "hello"}, {"text_data": ""}, {"bytes_data": b""}])
async def test_what_a_client_says_is_passed_over(database, frame):
    async with visitor(stack, await database.log_in("ada")) as client:
        await client.connect()
        client.expect(LETTERS)
        await client.send_to(**frame)
        client.expect()


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_stops_when_the_client_leaves(database, code):
    async with visitor(stack, await database.log_in("ada")) as client:
        await client.connect()
        client.unread.clear()
        await client.disconnect(code)
        assert client.finished


# What the lesson says of the validators


@pytest.mark.parametrize(
    "origin, accepted",
    [
        ("http://127.0.0.1:8000", True),
        ("http://lessons.localhost:8000", True),
        ("http://lessons.localhost:8666", True),  # it compares no port
        ("https://LOCALHOST", True),  # and no scheme
        (HOSTILE, False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
        (None, False),
    ],
)
async def test_allowed_hosts_are_compared_as_hosts(database, guarded, origin, accepted):
    headers = await database.log_in("ada")
    assert await accepts(guarded, headers, origin) is accepted


async def test_a_refusal_gives_no_reason(database, guarded):
    async with visitor(guarded, await database.log_in("ada"), HOSTILE) as client:
        assert await client.connect() == (False, 1000)


@pytest.mark.parametrize(
    "allowed, origin, accepted",
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
    ],
)
async def test_whole_origins_are_compared_as_a_whole(database, allowed, origin, accepted):
    headers = await database.log_in("ada")
    assert await accepts(OriginValidator(stack, [allowed]), headers, origin) is accepted


async def test_a_port_that_is_none_ends_in_an_exception_and_not_in_a_socket(database):
    validator = OriginValidator(stack, ["https://a.test"])
    for origin in ("https://a.test:x", "https://a.test:99999"):
        with pytest.raises(AssertionError, match="ValueError: Port"):
            await accepts(validator, [], origin)


async def test_a_header_that_is_text_is_not_seen(database, guarded):
    client = StrictCommunicator(guarded, "/ws/auth/origin/", [("origin", "http://localhost")])
    async with client:
        assert await client.connect() == (False, 1000)
