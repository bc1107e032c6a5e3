"""Lesson 16, Reception: it greets users, closes anonymous clients, answers about permissions."""

import pytest
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.contrib.auth.models import User
from django.core.exceptions import SynchronousOnlyOperation

from auth_demo.routing import websocket_urlpatterns
from auth_demo.unguarded import unguarded, with_unguarded
from lessons.judge import StrictCommunicator
from lessons.simulator.database import fresh_database
from lessons.simulator.finding import CheckFailed
from lessons.wire.database import record_queries

ACCEPT, NOT_LOGGED_IN = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 4401}
application = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))


@pytest.fixture(autouse=True)
async def database():
    record_queries()
    async with fresh_database() as fresh:
        yield fresh


def new_client(headers=(), served=application, path="/ws/auth/user/"):
    return StrictCommunicator(served, path, headers)


def text_frames(*texts):
    return [{"type": "websocket.send", "text": text} for text in texts]


def queries(client):
    """Return the table and the handler of each query, in order."""
    events = [event for event in client.transcript if event.lane == "database"]
    return [(event.message["sql"].split('"')[1], event.handler) for event in events]


async def test_a_logged_in_user_is_greeted_by_name(database):
    for name in ("ada", "grace"):
        async with new_client(await database.log_in(name)) as client:
            assert await client.connect() == (True, None)
            client.expect(*text_frames(f"You are {name}."))


async def test_each_connection_has_its_own_user(database):
    ada = await database.log_in("ada", "auth.change_user")
    async with new_client(ada) as first, new_client(await database.log_in("grace")) as second:
        await first.connect()
        await second.connect()
        for client, answer in ((first, "You may."), (second, "You may not.")):
            client.unread.clear()
            await client.send_to(text_data="auth.change_user")
            client.expect(*text_frames(answer))


@pytest.mark.parametrize("cookie", [b"", b"theme=dark", b"sessionid=unknown", b"sessionid=", b"=;"])
async def test_an_anonymous_user_is_accepted_and_closed_with_a_code(cookie):
    async with new_client([(b"cookie", cookie)]) as client:
        assert await client.connect() == (True, None)
        client.expect(NOT_LOGGED_IN)
        assert client.finished


async def test_a_session_without_a_user_counts_as_anonymous(database):
    async with new_client(await database.start_session(theme="dark")) as client:
        assert await client.connect() == (True, None)
        client.expect(NOT_LOGGED_IN)


async def test_a_frame_of_an_anonymous_user_is_not_answered():
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
    "stage, added, tables",
    [
        ("none", "nothing", []),
        ("cookies", "cookies", []),
        ("session", "cookies, session", []),
        ("user", "cookies, session, user", ["django_session", "auth_user"]),
    ],
)
async def test_each_middleware_adds_to_the_scope(database, stage, added, tables):
    headers = await database.log_in("ada")
    path = f"/ws/auth/unguarded/{stage}/"
    async with new_client(headers, with_unguarded(application), path) as client:
        await client.connect()
        client.expect(*text_frames(added))
        assert [table for table, _ in queries(client)] == tables


async def test_all_other_paths_are_unchanged():
    async with new_client(served=with_unguarded(application)) as client:
        await client.connect()
        client.expect(NOT_LOGGED_IN)


async def test_a_client_without_a_cookie_costs_no_query():
    async with new_client(served=unguarded, path="/ws/auth/unguarded/user/") as client:
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
    async with new_client(headers, AuthMiddlewareStack(QueriesOnTheLoop.as_asgi()), path) as client:
        with pytest.raises(CheckFailed) as red:
            await client.connect()
        assert isinstance(red.value.__cause__, SynchronousOnlyOperation)


async def test_an_incomplete_stack_rejects_every_client_with_an_exception():
    from channels.auth import AuthMiddleware

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
