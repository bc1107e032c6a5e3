"""A database for a check: empty, nobody else's, and its server can be restarted."""

import tempfile
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from unittest import mock

from asgiref.sync import sync_to_async
from channels import db
from django.apps import apps
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

_in_use = False


class FreshDatabase:
    """What a check may do to the database behind a consumer's back."""

    @sync_to_async
    def add_account(self, name: str) -> None:
        apps.get_model("auth", "User").objects.create(username=name)

    @sync_to_async
    def restart(self) -> None:
        """Cut the connection of the handlers' thread; as in life, Django is not told."""
        connection.ensure_connection()
        connection.connection.close()


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is an empty file with a table of accounts."""
    global _in_use
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "check.sqlite3")
        # pytest-django shuts the project's database by the base class's method of that name.
        unshut = mock.patch.object(DatabaseWrapper, "ensure_connection", _connect, create=True)
        renamed = mock.patch.dict(connections.databases["default"], NAME=file)
        with unshut, renamed:
            await sync_to_async(_make_table)()
            _in_use = True
            try:
                yield FreshDatabase()
            finally:
                _in_use = False
                await sync_to_async(connections.close_all)()


def _connect(self) -> None:
    if self.connection is None:
        with self.wrap_database_errors:
            self.connect()


def _make_table() -> None:
    connections.close_all()
    with connection.schema_editor() as editor:
        editor.create_model(apps.get_model("auth", "User"))


def connections_left_alone():
    """Channels does not look after connections, as in the stock communicator.

    A test that may not touch the database has none. Where one is in use, it does.
    """
    if _in_use:
        return nullcontext()
    return mock.patch.object(db, "close_old_connections", _nothing)  # a Mock takes 1 ms to make


def _nothing() -> None:
    """Takes the place of Django's close_old_connections."""
