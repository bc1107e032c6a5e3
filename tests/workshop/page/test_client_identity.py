"""The identities that a page's client may use, and the pages that may ask for them."""

import json
from urllib.parse import quote, urlencode

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.testing import HttpCommunicator
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.urls import path

from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.page.live.recording import record_page_clients
from tests.support.page_client import TIMEOUT, client

pytestmark = pytest.mark.django_db(transaction=True)

EVIL = "http://evil.lessons.localhost:8666"


async def mirror(scope, receive, send):
    """Sends the user, the headers and the path, then keeps the event of the disconnect."""
    await receive()
    received = {name.decode(): value.decode() for name, value in scope["headers"]}
    received["user"] = scope["user"].get_username()
    received["path"] = f"{scope['path']} {scope['raw_path'].decode()}"
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": json.dumps(received)})
    mirror.last_event = await receive()


MIRROR = URLRouter([path("ws/mirror/", mirror)])


@pytest.fixture(autouse=True)
def accounts(page_layers):
    User.objects.create_user("student")
    User.objects.create_superuser("root")


@pytest.fixture
def session():
    """The session key of the browser that shows the page. No user is logged in there."""
    made = SessionStore()
    made.create()
    return made.session_key


@pytest.fixture
def application():
    return record_page_clients(AllowedHostsOriginValidator(AuthMiddlewareStack(MIRROR)))


def page_client(application, session, **options):
    """A client of a page of that session. `options` are its identity."""
    identity = quote(urlencode({"client": 1} | options), safe="")
    address = f"/watched/{new_feed_id(session)}/{identity}/ws/mirror/"
    made = client(application, address, session)
    made.scope["raw_path"] = made.scope["path"].encode()
    return made


async def scope_seen_by(page):
    await page.open()
    received = await page.receive_json_from()
    await page.disconnect(code=1001)
    return received


async def is_rejected(page):
    answer = await page.connect()
    await page.disconnect()
    return answer == (False, 1000)


async def test_all_clients_of_a_browser_share_an_accounts_session(application, session):
    first, again = [
        await scope_seen_by(page_client(application, session, **{"as": "student"})) for _ in "12"
    ]
    assert (first["user"], first["path"]) == ("student", "/ws/mirror/ /ws/mirror/")
    assert first["cookie"] == again["cookie"]
    assert session not in first["cookie"]
    anonymous = await scope_seen_by(page_client(application, session, **{"as": "anonymous"}))
    assert (anonymous["user"], "cookie" in anonymous) == ("", False)


async def test_an_origin_check_rejects_the_page_of_another_site(application, session):
    assert await is_rejected(page_client(application, session, **{"as": "student", "origin": EVIL}))
    unguarded = record_page_clients(AuthMiddlewareStack(MIRROR))
    seen = await scope_seen_by(page_client(unguarded, session, **{"as": "student", "origin": EVIL}))
    assert (seen["user"], seen["origin"]) == ("student", EVIL)


@pytest.mark.parametrize(
    "options",
    [
        {"as": "root"},
        {"as": "instructor"},  # an account of the workshop that this database does not have
        {"as": ""},
        {"origin": "http://a.test\r\nx: y"},
        {"client": "5"},
        {"client": "x"},
        {"more": "1"},
    ],
)
async def test_rejects_any_other_identity_and_creates_no_session(application, session, options):
    assert await is_rejected(page_client(application, session, **options))
    assert await Session.objects.acount() == 1


async def test_rejects_an_http_request_with_an_identity(application, session):
    headers = page_client(application, session).scope["headers"]
    address = f"/watched/{new_feed_id(session)}/client=1&as=student/lessons/"
    request = HttpCommunicator(application, "GET", address, headers=headers)
    assert (await request.get_response(TIMEOUT))["status"] == 403


async def test_no_session_key_reaches_the_feed(application, session):
    page = page_client(application, session, **{"as": "student"})
    feed_id = page.scope["path"].split("/")[2]
    feed = client(application, f"/ws/feed/{feed_id}/", session)
    await feed.open()
    cookie = (await scope_seen_by(page))["cookie"].partition("=")[2]
    received = ""
    while '"websocket.disconnect"' not in received:
        received += await feed.receive_from()
    # Later events do contain the cookie: the mirror sends it.
    scope = received.partition('"websocket.connect"')[0]
    assert b"[hidden]".hex() in scope
    assert not any(key in scope or key.encode().hex() in scope for key in (cookie, session))
    await feed.disconnect()


@pytest.mark.parametrize(("code", "arrives"), [(4999, 1006), (4998, 4998), (1001, 1001)])
async def test_reports_a_lost_connection_as_1006(application, session, code, arrives):
    page = page_client(application, session)
    await page.open()
    await page.receive_from()
    await page.disconnect(code=code)
    assert mirror.last_event == {"type": "websocket.disconnect", "code": arrives}
