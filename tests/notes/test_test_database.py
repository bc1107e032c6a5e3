"""What NOTES.md says about tests with a database: threads, transactions, connections."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.db import ProgrammingError, connection
from django.test import TestCase, TransactionTestCase

from async_demo.consumers import Echo


async def visit():
    """A conversation whose last event is handled in wait(), as always with disconnect()."""
    client = WebsocketCommunicator(Echo.as_asgi(), "/")
    assert await client.connect() == (True, None)
    await client.disconnect()


class InATransaction(TestCase):
    async def test_in_a_test_case_the_disconnect_closes_the_connection_of_the_test(self):
        await Group.objects.acount()
        await visit()
        with self.assertRaisesMessage(ProgrammingError, "Cannot operate on a closed database."):
            await Group.objects.acount()


class InATransactionWithoutTheClose(TestCase):
    async def test_in_a_test_case_without_the_close_the_connection_stays_open(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("channels.db.close_old_connections", lambda: None)
            await visit()
        assert await Group.objects.acount() == 0


class WithoutATransaction(TransactionTestCase):
    async def test_in_a_transaction_test_case_the_closed_connection_opens_again(self):
        await Group.objects.acount()
        await visit()
        assert await Group.objects.acount() == 0


def is_in_transaction():
    return connection.in_atomic_block


@pytest.mark.django_db
def test_async_to_sync_runs_queries_in_the_transaction_of_the_test():
    assert is_in_transaction()
    assert async_to_sync(sync_to_async(is_in_transaction))()


@pytest.mark.django_db
async def test_pytest_asyncio_runs_queries_outside_of_the_transaction_of_the_mark():
    assert not await sync_to_async(is_in_transaction)()
