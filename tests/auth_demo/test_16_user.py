"""Lesson 16, Reception: it greets users, closes anonymous clients, answers about permissions."""

import pytest
from asgiref.sync import async_to_sync
from channels.auth import AuthMiddleware, AuthMiddlewareStack
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware, SessionMiddleware
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission, User
from django.test import Client

from auth_demo.routing import websocket_urlpatterns

PATH = "/ws/auth/user/"
application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


def cookie_of(name, *permissions):
    """The cookie of a browser in which a user with these permissions is logged in."""
    user, _ = User.objects.get_or_create(username=name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser.cookies.output(header="", sep=";").strip().encode()


def stock_client(cookie=b"", served=application):
    return WebsocketCommunicator(served, PATH, headers=[(b"cookie", cookie)])


@pytest.mark.django_db(transaction=True)
def test_answers_each_user_about_their_own_permissions():
    async def conversation(*cookies):
        answers = []
        clients = [stock_client(cookie) for cookie in cookies]
        for client in clients:
            await client.connect()
        for client in clients:
            await client.send_to("auth.change_user")
            answers.append([await client.receive_from() for _ in "12"])
            await client.disconnect()
        assert answers == [["You are ada.", "You may."], ["You are grace.", "You may not."]]

    async_to_sync(conversation)(cookie_of("ada", "change_user"), cookie_of("grace"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cookie", [b"", b"theme=dark", b"sessionid=unknown", b"sessionid=", b"=;"])
def test_an_anonymous_user_is_accepted_and_closed_with_a_code(cookie):
    async def conversation():
        client = stock_client(cookie)
        connected, _ = await client.connect()
        assert connected
        assert await client.receive_output() == {"type": "websocket.close", "code": 4401}

    async_to_sync(conversation)()


async def report_scope(scope, receive, send):
    """Send the names of the keys that middlewares have added to the scope."""
    await receive()
    await send({"type": "websocket.accept"})
    added = [name for name in ("cookies", "session", "user") if name in scope]
    await send({"type": "websocket.send", "text": ", ".join(added)})
    await receive()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("served", "added"),
    [
        (CookieMiddleware(report_scope), "cookies"),
        (CookieMiddleware(SessionMiddleware(report_scope)), "cookies, session"),
        (
            CookieMiddleware(SessionMiddleware(AuthMiddleware(report_scope))),
            "cookies, session, user",
        ),
        (AuthMiddlewareStack(report_scope), "cookies, session, user"),
    ],
)
def test_each_middleware_adds_to_the_scope(served, added):
    async def conversation(cookie):
        client = stock_client(cookie, served)
        await client.connect()
        assert await client.receive_from() == added
        await client.disconnect()

    async_to_sync(conversation)(cookie_of("ada"))


# ── What only the strict communicator sees ──
# The stock communicator takes one frame at a time, so no frame arrives before the close. It reports
# neither which handler makes a query nor whether the consumer stops.

from channels.consumer import AsyncConsumer
from django.core.exceptions import SynchronousOnlyOperation

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.recording.queries import record_queries
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.judge import StrictCommunicator

ACCEPT, NOT_LOGGED_IN = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 4401}


@pytest.fixture
async def database():
    record_queries()
    async with fresh_database() as fresh:
        yield fresh


def new_client(headers=(), served=application):
    return StrictCommunicator(served, PATH, headers)


def text_frames(*texts):
    return [{"type": "websocket.send", "text": text} for text in texts]


def queries(client):
    """Return the table and the handler of each query, in order."""
    events = [event for event in client.transcript if event.lane == "database"]
    return [(event.message["sql"].split('"')[1], event.handler) for event in events]


async def test_a_session_without_a_user_counts_as_anonymous(database):
    async with new_client(await database.start_session(theme="dark")) as client:
        assert await client.connect() == (True, None)
        client.expect(NOT_LOGGED_IN)


async def test_a_frame_of_an_anonymous_user_is_not_answered(database):
    async with new_client() as client:
        client.input_queue.put_nowait({"type": "websocket.connect"})
        client.input_queue.put_nowait({"type": "websocket.receive", "text": "auth.change_user"})
        await client.wait()
        client.expect(ACCEPT, NOT_LOGGED_IN)


async def test_permissions_are_queried_once_for_each_connection(database):
    async with new_client(await database.log_in("ada", "auth.change_user")) as client:
        await client.connect()
        client.unread.clear()
        before = queries(client)
        for name in ("auth.change_user", "change_user", "auth.delete_user", ""):
            await client.send_to(text_data=name)
        client.expect(*text_frames("You may.", *["You may not."] * 3))
        assert {handler for _, handler in before} == {None}  # queries of the middleware
        after = queries(client)[len(before) :]
        assert after == [(table, "websocket_receive") for table, _ in after]
        count = len(after)
        assert count in (1, 2)  # one query for the user's permissions, one for those of the groups
        await client.send_to(bytes_data=b"\x00")
        client.expect(*text_frames("You may not."))
        assert len(queries(client)) == len(before) + count


async def test_a_permission_that_was_removed_later_still_counts(database):
    async with new_client(await database.log_in("ada", "auth.change_user")) as client:
        await client.connect()
        client.unread.clear()
        for _ in range(2):
            await client.send_to(text_data="auth.change_user")
            client.expect(*text_frames("You may."))
            ada = await User.objects.aget(username="ada")
            await ada.user_permissions.aclear()


async def test_a_frame_without_text_names_no_permission(database):
    async with new_client(await database.log_in("ada", "auth.change_user")) as client:
        await client.connect()
        client.unread.clear()
        await client.send_input({"type": "websocket.receive", "text": None, "bytes": b"x"})
        client.expect(*text_frames("You may not."))


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006])
async def test_stops_when_the_client_leaves(database, code):
    async with new_client(await database.log_in("ada")) as client:
        await client.connect()
        await client.disconnect(code)
        assert client.finished


# Claims of the lesson about middlewares


@pytest.mark.parametrize(
    ("served", "tables"),
    [
        (CookieMiddleware(SessionMiddleware(report_scope)), []),
        (AuthMiddlewareStack(report_scope), ["django_session", "auth_user"]),
    ],
)
async def test_only_auth_middleware_makes_queries(database, served, tables):
    async with new_client(await database.log_in("ada"), served) as client:
        await client.connect()
        client.unread.clear()
        assert [table for table, _ in queries(client)] == tables


async def test_a_client_without_a_cookie_costs_no_query(database):
    async with new_client(served=AuthMiddlewareStack(report_scope)) as client:
        await client.connect()
        assert queries(client) == []
        client.unread.clear()


class QueriesOnTheLoop(AsyncConsumer):
    """Makes a sync query on the event loop."""

    async def websocket_connect(self, event):
        user = self.scope["user"]
        assert user.is_authenticated
        if self.scope["path"] == "/may/":
            user.has_perm("auth.change_user")
        else:
            list(user.groups.all())


@pytest.mark.parametrize("path", ["/may/", "/groups/"])
async def test_permissions_and_groups_query_the_database(database, path):
    headers = await database.log_in("ada")
    served = AuthMiddlewareStack(QueriesOnTheLoop.as_asgi())
    async with StrictCommunicator(served, path, headers) as client:
        with pytest.raises(CheckFailed) as red:
            await client.connect()
        assert isinstance(red.value.__cause__, SynchronousOnlyOperation)


async def test_an_incomplete_stack_rejects_every_client_with_an_exception(database):
    for stack, text in (
        (lambda inner: inner, "^'user'$"),
        (AuthMiddleware, "AuthMiddleware cannot find session in scope"),
        (lambda inner: CookieMiddleware(AuthMiddleware(inner)), "cannot find session in scope"),
    ):
        async with new_client(served=stack(QueriesOnTheLoop.as_asgi())) as client:
            with pytest.raises(CheckFailed) as red:
                await client.connect()
            with pytest.raises((KeyError, ValueError), match=text):
                raise red.value.__cause__
