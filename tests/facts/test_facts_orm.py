"""What lesson 20 says about the ORM in async code, compared with Django and Channels."""

import asyncio
import re
import threading

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import Group, User
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection, transaction

from db_demo.models import Post
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.server import orm_misuse_diagnosis
from tests.support.python_messages import not_awaitable

REFUSED = "You cannot call this from an async context - use a thread or sync_to_async."


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        ada = await fresh.add_account("ada")
        await fresh.do(Post.objects.create, title="Rain", author=ada)
        yield fresh


def get():
    return Post.objects.get()


def loop_over():
    return [post.title for post in Post.objects.all()]


def look_whether_there_are_any():
    return "some" if Post.objects.all() else "none"


def measure():
    return len(Post.objects.filter(title="Rain"))


def take_one():
    return Post.objects.all()[0]


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
        (loop_over, "lazy-queryset"),
        (look_whether_there_are_any, "lazy-queryset"),
        (measure, "lazy-queryset"),
        (take_one, "lazy-queryset"),
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


async def test_chained_and_sliced_querysets_make_no_query(database):
    posts = Post.objects.filter(title="Rain").order_by("id").select_related("author")[:3]
    assert [post.author.username async for post in posts] == ["ada"]


async def test_user_attributes_make_queries(database):
    user = await User.objects.aget()
    with pytest.raises(SynchronousOnlyOperation):
        list(user.groups.all())
    with pytest.raises(SynchronousOnlyOperation):
        user.has_perm("auth.add_group")


async def test_the_async_orm_and_the_wrappers_share_one_thread(database):
    def here():
        return threading.get_ident()

    threads = {await database_sync_to_async(here)(), await sync_to_async(here)()}
    queries = []

    def note(execute, *args):
        queries.append(threading.get_ident())
        return execute(*args)

    await database.do(lambda: connection.execute_wrappers.append(note))
    assert await Post.objects.acount() == 1
    await Group.objects.acreate(name="editors")
    assert [group.name async for group in Group.objects.all()] == ["editors"]
    await database.do(lambda: connection.execute_wrappers.remove(note))
    assert {*queries} == threads != {threading.get_ident()}
    assert len(threads) == 1
    assert await database_sync_to_async(here, thread_sensitive=False)() not in threads


def is_open():
    return connection.connection is not None


async def test_database_sync_to_async_leaves_no_connection_and_the_async_orm_does(database):
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


async def test_an_exception_of_the_thread_is_raised_at_its_await(database):
    with pytest.raises(Group.DoesNotExist):
        await database_sync_to_async(Group.objects.get)(name="none")


async def test_a_queryset_caches_its_rows(database):
    posts = Post.objects.all()
    assert await database.do(lambda: len(posts)) == 1
    await database.do(Post.objects.create, title="Hail")
    assert await database.do(lambda: (len(posts), len(posts.all()))) == (1, 2)


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
