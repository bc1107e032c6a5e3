"""Logging in: the pages of auth_demo, and what Channels does at a login over a WebSocket."""

import pytest
from channels.auth import AuthMiddlewareStack, login
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=True)
LOGIN = {"username": "ada", "password": "lovelace"}


@pytest.fixture(autouse=True)
def ada(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # is fast
    return User.objects.create_user(**LOGIN)


def test_logs_in_and_out_with_the_views_of_django(client):
    assert "You are not logged in." in client.get("/auth/").content.decode()
    assert 'name="csrfmiddlewaretoken"' in client.get("/auth/login/").content.decode()
    wrong = client.post("/auth/login/", LOGIN | {"password": "byron"})
    assert (wrong.status_code, "correct username" in wrong.content.decode()) == (200, True)
    assert client.post("/auth/login/", LOGIN).headers["location"] == "/auth/"
    assert "You are ada." in client.get("/auth/").content.decode()
    assert client.post("/auth/logout/").headers["location"] == "/auth/login/"
    assert "You are not logged in." in client.get("/auth/").content.decode()


def test_a_login_never_redirects_to_another_site(client):
    answer = client.post("/auth/login/", LOGIN | {"next": "https://evil.example/"})
    assert answer.headers["location"] == "/auth/"


def test_user_logged_out_is_sent_before_the_session_is_deleted(client, ada):
    seen = []

    def look(sender, **kwargs):
        seen.append(Session.objects.count())

    user_logged_out.connect(look)
    client.force_login(ada)
    client.logout()
    assert (seen, Session.objects.count()) == ([1], 0)


async def log_in_and_save(scope, receive, send):
    """An application that logs ada in, and saves the session at the first frame."""
    await receive()
    await login(scope, await User.objects.aget())
    await send({"type": "websocket.accept"})
    await receive()
    await scope["session"].asave()


async def test_a_login_over_the_socket_is_not_saved_until_the_consumer_saves_it():
    socket = WebsocketCommunicator(AuthMiddlewareStack(log_in_and_save), "/")
    await socket.connect()
    assert "_auth_user_id" not in (await Session.objects.aget()).get_decoded()
    await socket.send_to("save")
    await socket.wait()
    assert "_auth_user_id" in (await Session.objects.aget()).get_decoded()


async def test_a_login_over_the_socket_has_a_key_that_the_browser_does_not_know(client):
    known = (await client.asession()).session_key
    headers = [(b"cookie", f"sessionid={known}".encode())]
    socket = WebsocketCommunicator(AuthMiddlewareStack(log_in_and_save), "/", headers=headers)
    await socket.connect()
    await socket.send_to("save")
    await socket.wait()
    [key] = [session.pk async for session in Session.objects.all()]
    assert key != known
