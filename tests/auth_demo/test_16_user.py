"""Lesson 16, Reception: answers what each user may do, and closes anonymous clients with 4401."""

import pytest
from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.sessions import CookieMiddleware, SessionMiddleware
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission, User
from django.test import Client

from auth_demo.asgi import application as demo

with_database = pytest.mark.django_db(transaction=True)


def cookie_of(user):
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].OutputString(attrs=[])


@pytest.fixture
def cookies(transactional_db):
    """The cookies of ada, who may change users, and of grace, who may not."""
    ada, grace = [User.objects.create(username=name) for name in ("ada", "grace")]
    ada.user_permissions.set(Permission.objects.filter(codename="change_user"))
    return {"ada": cookie_of(ada), "grace": cookie_of(grace)}


def new_client(cookie="", application=demo):
    headers = [(b"cookie", cookie.encode()), (b"origin", b"http://localhost")]
    return WebsocketCommunicator(application, "/ws/auth/user/", headers=headers)


@with_database
@pytest.mark.parametrize("wrong", ["", "theme=dark", "sessionid=unknown", "sessionid=", "=;"])
async def test_an_anonymous_user_is_accepted_and_closed_with_a_code(wrong):
    client = new_client(wrong)
    assert await client.connect() == (True, None)
    assert await client.receive_output() == {"type": "websocket.close", "code": 4401}
    await client.disconnect()


async def test_a_frame_of_an_anonymous_user_is_not_answered():
    client = new_client()
    await client.send_input({"type": "websocket.connect"})
    await client.send_to("auth.change_user")  # the client has not received the close yet
    assert await client.receive_output() == {"type": "websocket.accept"}
    assert await client.receive_output() == {"type": "websocket.close", "code": 4401}
    await client.disconnect()
    assert await client.receive_nothing(timeout=0)


async def send_added_keys(scope, receive, send):
    added = scope.keys() & {"cookies", "session", "user"}
    await send({"type": "websocket.send", "text": ", ".join(sorted(added))})


@with_database
@pytest.mark.parametrize(
    ("stack", "added"),
    [
        (CookieMiddleware(send_added_keys), "cookies"),
        (CookieMiddleware(SessionMiddleware(send_added_keys)), "cookies, session"),
        (AuthMiddlewareStack(send_added_keys), "cookies, session, user"),
    ],
)
async def test_each_middleware_adds_to_the_scope(cookies, stack, added):
    assert await new_client(cookies["ada"], stack).receive_from() == added


# In a test without the mark django_db, pytest-django raises an exception at the first query.
async def test_a_client_without_a_cookie_costs_no_query():
    client = new_client(application=AuthMiddlewareStack(send_added_keys))
    assert await client.receive_from() == "cookies, session, user"


@pytest.mark.parametrize("stack", [AuthMiddleware(demo), CookieMiddleware(AuthMiddleware(demo))])
async def test_an_incomplete_stack_rejects_every_client_with_an_exception(stack):
    client = new_client(application=stack)
    await client.send_input({"type": "websocket.connect"})
    with pytest.raises(ValueError, match="AuthMiddleware cannot find session in scope"):
        await client.wait()


@with_database
async def test_answers_each_user_about_their_own_permissions(cookies):
    ada, grace = new_client(cookies["ada"]), new_client(cookies["grace"])
    for client in (ada, grace):
        await client.connect()
        await client.send_to("auth.change_user")
    assert [await ada.receive_from() for _ in range(2)] == ["You are ada.", "You may."]
    assert [await grace.receive_from() for _ in range(2)] == ["You are grace.", "You may not."]
    for client in (ada, grace):
        await client.disconnect()


@with_database
@pytest.mark.parametrize("frame", [{"text": "change_user"}, {"text": ""}, {"bytes": b"x"}])
async def test_a_frame_that_names_no_permission_gets_a_no(cookies, frame):
    client = new_client(cookies["ada"])
    await client.connect()
    assert await client.receive_from() == "You are ada."
    await client.send_input({"type": "websocket.receive", **frame})
    assert await client.receive_from() == "You may not."
    await client.disconnect()


@with_database
async def test_a_permission_that_was_removed_later_still_counts(cookies):
    client = new_client(cookies["ada"])
    await client.connect()
    assert await client.receive_from() == "You are ada."
    for _ in ("before", "after"):
        await client.send_to("auth.change_user")
        assert await client.receive_from() == "You may."
        await User.user_permissions.through.objects.all().adelete()
    await client.disconnect()
