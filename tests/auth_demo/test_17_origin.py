"""Lesson 17, Inbox: it trusts the cookie, so any page receives the letters of its user.

A validator in front of it rejects handshakes that pages of other sites have begun.
"""

import pytest
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.asgi import application
from auth_demo.routing import websocket_urlpatterns

PATH = "/ws/auth/origin/"
HOSTILE = "http://evil.lessons.localhost:8666"
demo = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


@pytest.fixture(params=["ada", "grace"])
def user(request, transactional_db):
    return User.objects.create(username=request.param)


@pytest.fixture
def cookie(user):
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].OutputString(attrs=[]).encode()


@pytest.mark.django_db(transaction=True)
async def test_any_page_receives_the_letters_of_its_user(user, cookie):
    headers = [(b"cookie", cookie), (b"origin", HOSTILE.encode())]
    client = WebsocketCommunicator(demo, PATH, headers=headers)
    assert await client.connect() == (True, None)
    assert await client.receive_from() == f"Letters for {user.username}: 3"
    await client.disconnect()


async def test_an_anonymous_user_is_closed_with_4401():
    client = WebsocketCommunicator(demo, PATH)
    assert await client.connect() == (True, None)
    assert await client.receive_output() == {"type": "websocket.close", "code": 4401}
    await client.disconnect()


async def accept(scope, receive, send):
    await send({"type": "websocket.accept"})


def client_from(origin, application):
    headers = [] if origin is None else [(b"origin", origin.encode())]
    return WebsocketCommunicator(application, PATH, headers=headers)


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
async def test_allowed_hosts_are_compared_as_hosts(settings, origin, accepted):
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "lessons.localhost"]
    client = client_from(origin, AllowedHostsOriginValidator(accept))
    assert (await client.connect())[0] is accepted


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
        (".a.test", "null", False),
        ("https://.a.test", None, False),
    ],
)
async def test_whole_origins_are_compared_as_a_whole(allowed, origin, accepted):
    client = client_from(origin, OriginValidator(accept, [allowed]))
    assert (await client.connect())[0] is accepted


async def test_a_rejection_carries_no_reason():
    client = client_from(HOSTILE, OriginValidator(accept, ["https://a.test"]))
    await client.send_input({"type": "websocket.connect"})
    assert await client.receive_output() == {"type": "websocket.close"}


async def test_a_header_that_is_str_instead_of_bytes_is_ignored(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    headers = [("origin", "http://localhost")]
    client = WebsocketCommunicator(AllowedHostsOriginValidator(accept), PATH, headers=headers)
    assert await client.connect() == (False, 1000)


@pytest.mark.parametrize("origin, served", [("http://localhost", True), (HOSTILE, False)])
async def test_the_asgi_py_of_the_app_rejects_other_sites(origin, served):
    client = client_from(origin, application)
    assert (await client.connect())[0] is served
