"""On SQLite, rows are committed in the order of their ids (lesson 22)."""

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, transaction

from db_demo.models import Entry


def add():
    return Entry.objects.create(text="line").id


async def test_on_sqlite_only_one_process_writes_at_a_time(database):
    add_in_other_process = async_to_sync(database.do_in_other_process)

    def add_while_another_process_tries():
        with transaction.atomic():
            first = add()
            with pytest.raises(OperationalError, match=r"^database is locked$"):
                add_in_other_process(add)
        return first

    assert await database.do(add_while_another_process_tries) == 1
    assert await database.do_in_other_process(add) == 2


async def test_on_sqlite_an_id_is_never_used_again(database):
    for _ in range(2):
        await database.do_in_other_process(add)
    await database.do_in_other_process(Entry.objects.filter(id=2).delete)
    assert await database.do_in_other_process(add) == 3
