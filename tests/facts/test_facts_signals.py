"""What lesson 21 says about signals and transactions, compared with Django."""

import logging

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import SynchronousOnlyOperation
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.test import TestCase

from db_demo.models import Post
from lessons.workshop.engine.world.database import fresh_database


@pytest.fixture
async def database():
    async with fresh_database() as fresh:
        yield fresh


@pytest.fixture
def calls():
    """The calls of a receiver: the signal's name and the id, at once and at the commit."""
    seen = []

    def note(instance, signal, **kwargs):
        name = "saved" if signal is post_save else "deleted"
        seen.append((name, instance.pk))
        transaction.on_commit(lambda: seen.append((f"{name}, at the commit", instance.pk)))

    post_save.connect(note, sender=Post)
    post_delete.connect(note, sender=Post)
    yield seen
    post_save.disconnect(note, sender=Post)
    post_delete.disconnect(note, sender=Post)


def write():
    return Post.objects.create(title="Rain")


async def test_a_deleted_instance_has_its_id_in_the_receiver_and_not_at_a_later_commit(
    database, calls
):
    await database.do(write)
    calls.clear()
    await database.do(lambda: Post.objects.get().delete())
    assert calls == [("deleted", 1), ("deleted, at the commit", 1)]
    calls.clear()
    await database.do(write)
    calls.clear()
    await database.do(transaction.atomic(lambda: Post.objects.get().delete()))
    assert calls == [("deleted", 2), ("deleted, at the commit", None)]


async def test_a_bulk_delete_calls_the_receiver_for_each_row(database, calls):
    for _ in range(2):
        await database.do(write)
    calls.clear()
    await database.do(Post.objects.all().delete)
    assert sorted(calls)[:2] == [("deleted", 1), ("deleted", 2)]


async def test_the_async_orm_calls_receivers_in_its_thread(database, calls):
    await Post.objects.acreate(title="Rain")
    assert calls == [("saved", 1), ("saved, at the commit", 1)]


async def test_an_async_receiver_may_not_ask_for_the_commit(database):
    async def note(**kwargs):
        transaction.on_commit(print)

    post_save.connect(note, sender=Post)
    with pytest.raises(SynchronousOnlyOperation):
        await database.do(write)
    post_save.disconnect(note, sender=Post)


async def test_on_commit_takes_a_function_and_awaits_no_coroutine(database):
    async def tell():
        pytest.fail("Django has awaited it")

    with pytest.raises(TypeError, match=r"on_commit\(\)'s callback must be a callable"):
        await database.do(transaction.on_commit, None)
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        await database.do(transaction.on_commit, tell)


@pytest.mark.parametrize("debug, stays", [(False, False), (True, True)])
async def test_a_lambda_receiver_survives_only_with_debug_on(database, settings, debug, stays):
    settings.DEBUG = debug
    calls = []
    post_save.connect(lambda **kwargs: calls.append(1), sender=Post, dispatch_uid="of this test")
    await database.do(write)
    post_save.disconnect(sender=Post, dispatch_uid="of this test")
    assert bool(calls) is stays


async def test_robust_logs_an_exception_of_on_commit_instead_of_raising_it(database, caplog):
    def fail():
        raise ConnectionError("no layer")

    def save(robust):
        with transaction.atomic():
            write()
            transaction.on_commit(fail, robust=robust)

    with pytest.raises(ConnectionError):
        await database.do(save, robust=False)
    with caplog.at_level(logging.ERROR, "django"):
        await database.do(save, robust=True)
    assert "no layer" in caplog.text
    assert await Post.objects.acount() == 2


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
