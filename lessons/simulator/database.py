"""The database of a check: all tables, no rows, and a server that can be restarted.

The database is an SQLite file in a temporary folder. The tables are created once in each process
and then copied, since migrations take longer than most checks.
"""

import asyncio
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from unittest import mock

from asgiref.sync import sync_to_async
from channels import db
from django.apps import apps
from django.conf import settings
from django.contrib import auth
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.base import DatabaseWrapper

from lessons.core.catalogue import ACCOUNTS
from lessons.simulator.loop import SimulatedLoop
from lessons.wire.database import record_queries

_in_use = False
_opened: dict[BaseDatabaseWrapper, threading.Thread] = {}
_DO_NOT_WAIT_FOR_DISK = "PRAGMA synchronous = OFF"  # no check needs its rows after a power cut
_template = b""  # the content of the file when it has tables and no rows


class OpenTransaction:
    """A transaction that has done its work, and waits for `end` before it commits."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.end = threading.Event()
        self.rolls_back = False

    def run(self, loop: SimulatedLoop, function: Callable, *args) -> None:
        thread = threading.get_ident()
        try:
            with transaction.atomic():
                function(*args)
                loop.held_threads.add(thread)
                loop.call_soon_threadsafe(self.begun.set)
                self.end.wait()
                loop.held_threads.discard(thread)
                transaction.set_rollback(self.rolls_back)
        finally:
            loop.held_threads.discard(thread)
            connection.close()


class FreshDatabase:
    """What a check itself, not the consumer, can do with the database."""

    async def do(self, function: Callable, *args, **kwargs):
        """Call `function` in the thread of sync handlers, and return its result.

        In a check it returns when the effects of signals and on_commit are over.
        """
        result = await sync_to_async(function)(*args, **kwargs)
        loop = asyncio.get_running_loop()
        if isinstance(loop, SimulatedLoop):
            await loop.wait_until_idle()
        return result

    @asynccontextmanager
    async def transaction(self, function: Callable, *args):
        """`function` runs in a transaction of another thread, which ends with this block.

        The loop is idle when the block begins and after it has ended. Yields an OpenTransaction:
        set its `rolls_back` to end it with a rollback.
        """
        loop, opened = asyncio.get_running_loop(), OpenTransaction()
        job = asyncio.create_task(
            sync_to_async(opened.run, thread_sensitive=False)(loop, function, *args)
        )
        begun = asyncio.create_task(opened.begun.wait())
        await asyncio.wait([job, begun], return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if job.done():
            await job  # raises the exception of `function`
        try:
            await loop.wait_until_idle()
            yield opened
        finally:
            opened.end.set()
            await job
        await loop.wait_until_idle()

    async def do_in_other_process(self, function: Callable, *args, **kwargs):
        """Call `function` at once, as another process would: in another thread and connection.

        It does not wait for a lock: raises OperationalError if another connection holds it.
        """

        def call():
            try:
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA busy_timeout = 0")
                return function(*args, **kwargs)
            finally:
                connection.close()

        return await sync_to_async(call, thread_sensitive=False)()

    async def add_account(self, name: str):
        """The account with that name. It is created if it does not exist."""
        return await self.do(_account, name)

    @sync_to_async
    def log_in(self, name: str, *permissions: str) -> list[tuple[bytes, bytes]]:
        """The headers of a browser in which `name` is logged in. Creates the account if needed.

        Permissions are written as for has_perm: "auth.change_user".
        """
        user = _account(name)
        if permissions:
            user.user_permissions.add(*map(_permission, permissions))
        values = {
            auth.SESSION_KEY: str(user.pk),
            auth.BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            auth.HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        return _cookie_of(values)  # the same session as login() makes, in half the time

    @sync_to_async
    def start_session(self, **values) -> list[tuple[bytes, bytes]]:
        """The headers of a browser whose session holds `values`, and no user."""
        return _cookie_of(values)

    @sync_to_async
    def restart(self) -> None:
        """Close the connection of the handlers' thread. Django does not notice."""
        connection.ensure_connection()
        connection.connection.close()

    async def unmanaged_connections(self) -> list[str]:
        """Names of the threads with an open connection that no code will ever close.

        Channels closes old connections before each handler, but only in the handlers' thread.
        """
        managed = await sync_to_async(threading.current_thread)()
        held = [thread for opened, thread in _opened.items() if opened.connection is not None]
        return [it.name for it in held if it is not managed and it.is_alive()]


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is a file with all tables and no rows.

    The queries of a recorded connection are recorded.
    """
    global _in_use
    with _in_a_file() as file:
        await sync_to_async(_begin)(file)
        _in_use = True
        connection_created.connect(_remember)
        try:
            with _kept_open(file):
                yield FreshDatabase()
        finally:
            _in_use = False
            connection_created.disconnect(_remember)
            await sync_to_async(connections.close_all)()
            _close_leftover_connections()


def prepare() -> None:
    """Create the tables now: processes that are forked from this one copy them."""
    with _in_a_file() as file:
        _make_template(file)


@contextmanager
def _in_a_file():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "check.sqlite3"
        # pytest-django forbids the project's database: it replaces this method of the base class.
        allowed = mock.patch.object(DatabaseWrapper, "ensure_connection", _connect, create=True)
        default = connections.databases["default"]
        init_command = f"{default['OPTIONS']['init_command']} {_DO_NOT_WAIT_FOR_DISK}"
        options = {**default["OPTIONS"], "init_command": init_command}
        with allowed, mock.patch.dict(default, NAME=str(file), OPTIONS=options):
            yield file


def _kept_open(file: Path):
    """An extra open connection, so that no other connection is the last one.

    When the last connection closes, SQLite deletes the write-ahead log, and the next one creates it
    again. Channels closes connections before each handler, so this is half the cost of a query.
    """
    kept = sqlite3.connect(file, check_same_thread=False)
    kept.execute(_DO_NOT_WAIT_FOR_DISK)
    kept.execute("SELECT count(*) FROM sqlite_master")
    return closing(kept)


def _remember(connection, **kwargs) -> None:
    _opened[connection] = threading.current_thread()


def _close_leftover_connections() -> None:
    """Close the connections of other threads, too: an open file would keep its disk space."""
    for opened in _opened:
        if opened.connection is not None:
            opened.connection.close()
            opened.connection = None
    _opened.clear()


def _connect(self) -> None:
    if self.connection is None:
        with self.wrap_database_errors:
            self.connect()


def _begin(file: Path) -> None:
    """Fill the file: with new tables in the first check of a process, then with a copy."""
    connections.close_all()
    record_queries()
    if _template:
        file.write_bytes(_template)
    else:
        _make_template(file)


def _make_template(file: Path) -> None:
    global _template
    create_tables()
    connections.close_all()  # writes everything into the file
    _template = file.read_bytes()


def create_tables() -> None:
    """Create the tables that migrations would create, in a twentieth of the time."""
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)


def _cookie_of(values: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a browser that has a new session with `values`."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update(values)
    session.save()
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode())]


def _account(name: str):
    users = apps.get_model("auth", "User").objects
    return users.get_or_create(username=name, defaults=ACCOUNTS.get(name, {}))[0]


def _permission(name: str):
    app, _, codename = name.partition(".")
    kinds, permissions = (
        apps.get_model(*model).objects
        for model in (("contenttypes", "ContentType"), ("auth", "Permission"))
    )
    kind, _ = kinds.get_or_create(app_label=app, model=codename.rpartition("_")[2])
    return permissions.get_or_create(content_type=kind, codename=codename)[0]


def without_connection_cleanup():
    """Within it, Channels does not close old connections, as in the stock communicator.

    Otherwise a test without database access would fail. With a fresh_database() Channels does it.
    """
    if _in_use:
        return nullcontext()
    return mock.patch.object(db, "close_old_connections", _nothing)  # a Mock takes 1 ms to make


def _nothing() -> None:
    """Replaces Django's close_old_connections."""
