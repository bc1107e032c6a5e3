"""What lessons 19 and 20 say about the ORM, its thread and signals, compared with Django."""

import threading

import pytest
from asgiref.sync import sync_to_async
from channels.db import aclose_old_connections, database_sync_to_async
from django.contrib.auth.models import Group, User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import ProgrammingError, close_old_connections, connection, transaction

from db_demo.models import Post
from lessons.workshop.engine.faults.connection import orm_misuse_diagnosis
from lessons.workshop.engine.world.accounts import get_or_create_account
from lessons.workshop.engine.world.database import fresh_database

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


async def test_with_the_protection_off_the_query_runs_on_the_loop(database, monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    assert get().title == "Rain"
    connection.close()


# The thread of the database


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


# Signals and transactions


async def test_on_commit_takes_a_function_and_awaits_no_coroutine(database):
    async def tell():
        pytest.fail("Django has awaited it")

    with pytest.raises(TypeError, match=r"on_commit\(\)'s callback must be a callable"):
        await database.do(transaction.on_commit, None)
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        await database.do(transaction.on_commit, tell)
