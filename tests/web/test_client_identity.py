"""Whom a page's client may pass for in the running workshop, and who may ask for that."""

import json
from urllib.parse import quote, urlencode

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.testing import HttpCommunicator, WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.backends.signals import connection_created
from django.urls import path

from auth_demo.consumers import Account
from lessons.web.live.page_socket import new_feed_id
from lessons.web.live.recording import record_page_clients

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30  # seconds, only ever spent by a test that fails
EVIL = "http://evil.lessons.localhost:8666"


async def mirror(scope, receive, send):
    """Tells who it thinks is there and what the headers say, then how the client left."""
    await receive()
    told = {name.decode(): value.decode() for name, value in scope["headers"]}
    told["user"] = scope["user"].get_username()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(told)})
    mirror.left_with = await receive()


@pytest.fixture(autouse=True)
def workshop(settings):
    memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": memory, "wire": memory}
    settings.ALLOWED_HOSTS = ["localhost"]
    User.objects.create_user("student")
    User.objects.create_superuser("root")
    yield
    connection_created.disconnect(dispatch_uid="lessons.wire")


@pytest.fixture
def session():
    """Of the browser that looks at the page; nobody has logged in there."""
    made = SessionStore()
    made.create()
    return made.session_key


@pytest.fixture
def application():
    routes = [path("ws/mirror/", mirror), path("ws/account/", Account.as_asgi())]
    return record_page_clients(AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes))))


def visitor(application, session, place="ws/mirror/", page="http://localhost", **options):
    """A client of the session's page, with `options` in its path; `page` is its true origin."""
    told = quote(urlencode({"client": 1} | options), safe="")
    headers = [(b"origin", page.encode()), (b"cookie", f"sessionid={session}".encode())]
    address = f"/watched/{new_feed_id(session)}/{told}/{place}"
    return WebsocketCommunicator(application, address, headers=headers)


async def told_to(client):
    assert await client.connect(timeout=PATIENCE) == (True, None)
    told = await client.receive_json_from(timeout=PATIENCE)
    await client.disconnect(code=1001)
    return told


async def is_refused(client):
    answer = await client.connect(timeout=PATIENCE)
    await client.disconnect()
    return answer == (False, 1000)


async def test_without_a_guise_a_client_is_the_browser_that_it_is(application, session):
    told = await told_to(visitor(application, session))
    assert told["cookie"] == f"sessionid={session}"
    assert (told["origin"], told["user"]) == ("http://localhost", "")


async def test_an_account_has_one_session_for_all_that_the_browser_opens(application, session):
    first, again = [await told_to(visitor(application, session, **{"as": "student"})) for _ in "12"]
    assert first["user"] == "student"
    assert first["cookie"] == again["cookie"] != f"sessionid={session}"
    nobody = await told_to(visitor(application, session, **{"as": "anonymous"}))
    assert (nobody["user"], "cookie" in nobody) == ("", False)


async def test_another_browser_has_another_session_for_the_account(application, session):
    other = SessionStore()
    await other.acreate()
    keys = [
        (await told_to(visitor(application, key, **{"as": "student"})))["cookie"]
        for key in (session, other.session_key)
    ]
    assert keys[0] != keys[1]


async def test_who_was_logged_out_is_logged_in_anew_and_every_client_was_told(application, session):
    options = {"place": "ws/account/", "as": "student"}
    here, there = visitor(application, session, **options), visitor(application, session, **options)
    for client in (here, there):
        assert (await client.connect(timeout=PATIENCE))[0]
    await here.send_to("logout")
    for client in (here, there):
        while (output := await client.receive_output(timeout=PATIENCE))[
            "type"
        ] != "websocket.close":
            assert output["type"] == "websocket.send"
        await client.disconnect(code=output["code"])
    assert (await told_to(visitor(application, session, **{"as": "student"})))["user"] == "student"


async def test_a_strangers_page_is_refused_by_who_looks_at_the_origin(application, session):
    assert await is_refused(visitor(application, session, **{"as": "student", "origin": EVIL}))
    unguarded = record_page_clients(AuthMiddlewareStack(URLRouter([path("ws/mirror/", mirror)])))
    told = await told_to(visitor(unguarded, session, **{"as": "student", "origin": EVIL}))
    assert (told["user"], told["origin"]) == ("student", EVIL)


async def test_a_real_stranger_cannot_pretend_to_be_none(application, session):
    options = {"as": "student", "origin": "http://localhost"}
    assert await is_refused(visitor(application, session, page=EVIL, **options))


@pytest.mark.parametrize(
    "options",
    [
        {"as": "root"},
        {"as": "instructor"},  # seeded, but not here any more
        {"as": ""},
        {"origin": "http://a.test\r\nx: y"},
        {"client": "5"},
        {"client": "x"},
        {"more": "1"},
    ],
)
async def test_whatever_else_is_asked_for_is_refused_and_makes_no_session(
    application, session, options
):
    assert await is_refused(visitor(application, session, **options))
    assert await Session.objects.acount() == 1


async def test_a_session_that_is_over_may_not_pass_for_anybody(application):
    assert await is_refused(visitor(application, "gone0session0key", **{"as": "student"}))
    assert await Session.objects.acount() == 0


async def test_a_leaked_id_gets_another_session_nothing(application, session):
    mine = visitor(application, session, **{"as": "student"})
    thief = SessionStore()
    await thief.acreate()
    headers = [
        (b"origin", b"http://localhost"),
        (b"cookie", f"sessionid={thief.session_key}".encode()),
    ]
    client = WebsocketCommunicator(application, mine.scope["path"], headers=headers)
    assert await is_refused(client)
    assert await Session.objects.acount() == 2


async def test_a_request_passes_for_nobody(application, session):
    headers = visitor(application, session).scope["headers"]
    address = f"/watched/{new_feed_id(session)}/client=1&as=student/lessons/"
    response = await HttpCommunicator(application, "GET", address, headers=headers).get_response()
    assert response["status"] == 403


async def test_no_session_key_reaches_the_feed(application, session):
    client = visitor(application, session, **{"as": "student"})
    feed_id = client.scope["path"].split("/")[2]
    feed = WebsocketCommunicator(application, f"/ws/feed/{feed_id}/", client.scope["headers"])
    assert await feed.connect(timeout=PATIENCE) == (True, None)
    cookie = (await told_to(client))["cookie"].partition("=")[2]
    heard = ""
    while '"websocket.disconnect"' not in heard:
        heard += await feed.receive_from(timeout=PATIENCE)
    scope = heard.partition('"websocket.connect"')[0]  # what comes later is the mirror's own
    assert b"[hidden]".hex() in scope
    assert not any(key in scope or key.encode().hex() in scope for key in (cookie, session))
    await feed.disconnect()


@pytest.mark.parametrize(("code", "arrives"), [(4999, 1006), (4998, 4998), (1001, 1001)])
async def test_who_vanishes_has_lost_the_connection(application, session, code, arrives):
    client = visitor(application, session)
    assert await client.connect(timeout=PATIENCE) == (True, None)
    await client.receive_from(timeout=PATIENCE)
    await client.disconnect(code=code)
    assert mirror.left_with == {"type": "websocket.disconnect", "code": arrives}
