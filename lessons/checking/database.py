"""A database for a check: empty, nobody else's, and its server can be restarted."""

import tempfile
from contextlib import asynccontextmanager, nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from unittest import mock

from asgiref.sync import sync_to_async
from channels import db
from django.apps import apps
from django.conf import settings
from django.contrib.auth import login
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.http import HttpRequest

_in_use = False


class FreshDatabase:
    """What a check may do to the database behind a consumer's back."""

    @sync_to_async
    def add_account(self, name: str) -> None:
        apps.get_model("auth", "User").objects.create(username=name)

    @sync_to_async
    def log_in(self, name: str, *permissions: str) -> list[tuple[bytes, bytes]]:
        """The headers of a browser in which `name` has logged in; the account is made if need be.

        Permissions are written as in has_perm: "auth.change_user".
        """
        user, _ = apps.get_model("auth", "User").objects.get_or_create(username=name)
        user.user_permissions.add(*map(_permission, permissions))
        request = HttpRequest()
        request.session = _sessions().SessionStore()
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        return _cookie_of(request.session)

    @sync_to_async
    def start_session(self, **values) -> list[tuple[bytes, bytes]]:
        """The headers of a browser whose session holds `values`, and no user."""
        session = _sessions().SessionStore()
        session.update(values)
        return _cookie_of(session)

    @sync_to_async
    def restart(self) -> None:
        """Cut the connection of the handlers' thread; as in life, Django is not told."""
        connection.ensure_connection()
        connection.connection.close()


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is a file with tables for accounts and sessions."""
    global _in_use
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "check.sqlite3")
        # pytest-django shuts the project's database by the base class's method of that name.
        unshut = mock.patch.object(DatabaseWrapper, "ensure_connection", _connect, create=True)
        renamed = mock.patch.dict(connections.databases["default"], NAME=file)
        with unshut, renamed:
            await sync_to_async(_make_tables)(file)
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


def _make_tables(file: str) -> None:
    connections.close_all()
    Path(file).write_bytes(_empty_tables())


@cache
def _empty_tables() -> bytes:
    """The file of a database with nothing in it: made once in a process, then copied."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.sqlite3"
        with mock.patch.dict(connections.databases["default"], NAME=str(file)):
            with connection.schema_editor() as editor:
                for app in ("contenttypes", "auth", "sessions"):
                    for model in apps.get_app_config(app).get_models():
                        editor.create_model(model)
            connections.close_all()
        return file.read_bytes()


def _sessions():
    return import_module(settings.SESSION_ENGINE)


def _cookie_of(session) -> list[tuple[bytes, bytes]]:
    session.save()
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode())]


def _permission(name: str):
    app, _, codename = name.partition(".")
    kinds, permissions = (
        apps.get_model(*model).objects
        for model in (("contenttypes", "ContentType"), ("auth", "Permission"))
    )
    kind, _ = kinds.get_or_create(app_label=app, model=codename.rpartition("_")[2])
    return permissions.get_or_create(content_type=kind, codename=codename)[0]


def connections_left_alone():
    """Channels does not look after connections, as in the stock communicator.

    A test that may not touch the database has none. Where one is in use, it does.
    """
    if _in_use:
        return nullcontext()
    return mock.patch.object(db, "close_old_connections", _nothing)  # a Mock takes 1 ms to make


def _nothing() -> None:
    """Takes the place of Django's close_old_connections."""
