"""What lessons 19, 20 and 30 say about the ORM, its thread and signals, compared with Django."""

import asyncio
import re
import threading

import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from channels.db import aclose_old_connections, database_sync_to_async
from django.contrib.auth.models import Group, User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import ProgrammingError, close_old_connections, connection, connections, transaction
from django.db.models.signals import post_delete
from django.test import TestCase

from db_demo.models import Post
from lessons.workshop.engine.faults.connection import orm_misuse_diagnosis
from lessons.workshop.engine.world.accounts import get_or_create_account
from lessons.workshop.engine.world.database import fresh_database
from tests.support.accepting_consumers import Accepts, AcceptsInAThread
from tests.support.python_messages import not_awaitable
from tests.support.strict_communicator import StrictCommunicator

REFUSED = "You cannot call this from an async context - use a thread or sync_to_async."


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        ada = await fresh.do(get_or_create_account, "ada")
        await fresh.do(Post.objects.create, title="Rain", author=ada)
        yield fresh


# The ORM in async code


def get():
    return Post.objects.get()


def begin():
    with transaction.atomic():
        pass


def wrap_what_it_returns():
    return database_sync_to_async(get())


@pytest.mark.parametrize(
    "ask, diagnosis",
    [
        (get, "orm-in-async"),
        (begin, "orm-in-async"),
        (lambda: [post.title for post in Post.objects.all()], "lazy-queryset"),
        (lambda: "some" if Post.objects.all() else "none", "lazy-queryset"),
        (lambda: len(Post.objects.filter(title="Rain")), "lazy-queryset"),
        (lambda: Post.objects.all()[0], "lazy-queryset"),
        (wrap_what_it_returns, "called-not-passed"),
    ],
)
async def test_immediate_queries_fail_on_the_loop_with_separate_diagnoses(database, ask, diagnosis):
    with pytest.raises(SynchronousOnlyOperation) as refusal:
        ask()
    assert str(refusal.value) == REFUSED
    assert orm_misuse_diagnosis(__file__, refusal.value) == diagnosis


async def test_a_relation_is_fetched_on_access_but_its_id_is_not(database):
    post = await Post.objects.aget()
    assert post.author_id == 1
    with pytest.raises(SynchronousOnlyOperation) as refusal:
        assert post.author
    assert orm_misuse_diagnosis(__file__, refusal.value) == "unfetched-relation"
    post = await Post.objects.select_related("author").aget()
    assert post.author.username == "ada"


async def test_user_attributes_make_queries(database):
    user = await User.objects.aget()
    with pytest.raises(SynchronousOnlyOperation):
        list(user.groups.all())
    with pytest.raises(SynchronousOnlyOperation):
        user.has_perm("auth.add_group")


async def test_the_async_orm_and_the_wrappers_share_one_thread(database):
    here, queries = threading.get_ident, []

    def note(execute, *args):
        queries.append(here())
        return execute(*args)

    await database.do(lambda: connection.execute_wrappers.append(note))
    await Post.objects.acount()
    await Group.objects.acreate(name="editors")
    await database.do(lambda: connection.execute_wrappers.remove(note))
    [thread] = {*queries, await database_sync_to_async(here)(), await sync_to_async(here)()}
    assert thread not in (here(), await database_sync_to_async(here, thread_sensitive=False)())


async def test_database_sync_to_async_leaves_no_connection_and_the_async_orm_does(database):
    def is_open():
        return connection.connection is not None

    await database_sync_to_async(Post.objects.count)()
    assert not await sync_to_async(is_open)()
    await Post.objects.acount()
    assert await sync_to_async(is_open)()


@pytest.mark.parametrize(
    "wrap", [lambda f: sync_to_async(f, thread_sensitive=False)(), asyncio.to_thread]
)
async def test_a_thread_of_the_pool_keeps_its_connection(database, wrap):
    await wrap(Post.objects.count)
    assert len(await database.unmanaged_connections()) == 1


async def test_with_the_protection_off_the_query_runs_on_the_loop(database, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    assert get().title == "Rain"
    connection.close()


async def test_a_wrapped_function_is_not_awaitable_and_a_result_is_not_callable():
    function = database_sync_to_async(get)
    with pytest.raises(TypeError, match=re.escape(not_awaitable(function))):
        await function
    with pytest.raises(TypeError, match="sync_to_async can only be applied to sync functions"):
        database_sync_to_async(Post.objects.all())


# The thread of the database


class Plain(Accepts):
    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": "pong"})


class PlainSync(AcceptsInAThread):
    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": "pong"})


@pytest.mark.parametrize("consumer", [Plain, PlainSync])
async def test_one_job_goes_to_a_thread_for_each_event(consumer):
    loop = asyncio.get_running_loop()
    async with StrictCommunicator(consumer.as_asgi(), "/") as client:
        await client.connect()
        counts = [loop.thread_jobs_started]
        await client.send_to(text_data="ping")
        counts.append(loop.thread_jobs_started)
        await client.disconnect()
        counts.append(loop.thread_jobs_started)
    assert counts == [1, 2, 3]


@pytest.fixture
async def restarted(database):
    """A database whose server was restarted after the last query."""
    await User.objects.acount()
    await database.restart()


async def test_an_unmanaged_connection_fails_each_time(restarted):
    close_old_connections()
    await sync_to_async(close_old_connections, thread_sensitive=False)()  # in another thread
    for ask in (User.objects.acount, sync_to_async(User.objects.count)) * 2:
        with pytest.raises(ProgrammingError, match="Cannot operate on a closed database"):
            await ask()


@pytest.mark.parametrize("closes", [aclose_old_connections, database_sync_to_async(int)])
async def test_closing_old_connections_in_the_query_thread_fixes_it(restarted, closes):
    await closes()
    assert await User.objects.acount() == 1


async def test_a_separate_thread_has_a_separate_database_connection():
    def connection():
        return connections["default"]

    shared = await sync_to_async(connection)()
    assert await sync_to_async(connection)() is shared
    assert await sync_to_async(connection, thread_sensitive=False)() is not shared
    async with ThreadSensitiveContext():
        assert await sync_to_async(connection)() is not shared


# Signals and transactions


async def test_a_deleted_instance_has_its_id_in_the_receiver_and_not_at_a_later_commit(database):
    calls = []

    def note(instance, **kwargs):
        calls.append(instance.pk)
        transaction.on_commit(lambda: calls.append(instance.pk))

    post_delete.connect(note, sender=Post)
    await database.do(lambda: get().delete())
    await database.do(Post.objects.create, title="Hail")
    await database.do(transaction.atomic(lambda: get().delete()))
    post_delete.disconnect(note, sender=Post)
    assert calls == [1, 1, 2, None]


async def test_on_commit_takes_a_function_and_awaits_no_coroutine(database):
    async def tell():
        pytest.fail("Django has awaited it")

    with pytest.raises(TypeError, match=r"on_commit\(\)'s callback must be a callable"):
        await database.do(transaction.on_commit, None)
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        await database.do(transaction.on_commit, tell)


class NothingIsCommitted(TestCase):
    def test_waiting_callbacks_can_be_captured_and_called(self):
        called = []
        with self.captureOnCommitCallbacks(execute=True):
            transaction.on_commit(lambda: called.append(1))
            assert called == []
        assert called == [1]


def test_async_to_sync_works_only_in_sync_code():
    async def answer():
        return 42

    async def handler():
        return async_to_sync(answer)()

    assert async_to_sync(answer)() == 42
    with pytest.raises(RuntimeError, match="in the same thread as an async event loop"):
        async_to_sync(handler)()
