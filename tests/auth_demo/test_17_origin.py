"""Lesson 17, Inbox: it trusts the cookie. Only a validator in front of it checks the origin."""

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


def new_client(application, headers, origin=None, path="/ws/auth/origin/"):
    origins = [] if origin is None else [(b"origin", origin.encode())]
    return StrictCommunicator(application, path, [*headers, *origins])


async def accepts(application, headers, origin):
    async with new_client(application, headers, origin) as client:
        accepted, _ = await client.connect()
        client.unread.clear()
        return accepted


@pytest.fixture
def guarded(settings):
    settings.ALLOWED_HOSTS = settings.LOOPBACK
    return AllowedHostsOriginValidator(stack)


async def test_any_page_receives_the_letters_of_its_user(database):
    headers = await database.log_in("ada")
    for path, application in (
        ("/ws/auth/origin/", stack),
        ("/ws/auth/unguarded/origin/", unguarded),
    ):
        async with new_client(application, headers, HOSTILE, path) as client:
            assert await client.connect() == (True, None)
            client.expect(LETTERS)


async def test_each_user_receives_their_own_letters(database):
    headers = [await database.log_in(name) for name in ("ada", "grace")]
    async with new_client(stack, headers[0]) as ada, new_client(stack, headers[1]) as grace:
        for client, name in ((ada, "ada"), (grace, "grace")):
            await client.connect()
            assert await client.receive_from() == f"Letters for {name}: 3"


async def test_an_anonymous_user_is_closed_with_4401():
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


# Claims of the lesson about validators


@pytest.mark.parametrize(
    "origin, accepted",
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
async def test_allowed_hosts_are_compared_as_hosts(database, guarded, origin, accepted):
    headers = await database.log_in("ada")
    assert await accepts(guarded, headers, origin) is accepted


async def test_a_rejection_carries_no_reason(database, guarded):
    async with new_client(guarded, await database.log_in("ada"), HOSTILE) as client:
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


async def test_an_invalid_port_raises_an_exception_and_opens_no_socket(database):
    validator = OriginValidator(stack, ["https://a.test"])
    for origin in ("https://a.test:x", "https://a.test:99999"):
        with pytest.raises(AssertionError, match="ValueError: Port"):
            await accepts(validator, [], origin)


async def test_a_header_that_is_str_instead_of_bytes_is_ignored(database, guarded):
    client = StrictCommunicator(guarded, "/ws/auth/origin/", [("origin", "http://localhost")])
    async with client:
        assert await client.connect() == (False, 1000)
