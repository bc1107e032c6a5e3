"""A database for a check: migrated, empty, nobody else's, and its server can be restarted."""

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
_UNSYNCED = "PRAGMA synchronous = OFF"
_template = b""  # the file as the first check of this process found it


class FreshDatabase:
    """What a check may do to the database behind a consumer's back."""

    async def do(self, function: Callable, *args, **kwargs):
        """Call `function` in the handlers' thread, as sync code elsewhere; what it returns.

        In a check, what it has set off, by signals and on_commit, has been dealt with.
        """
        result = await sync_to_async(function)(*args, **kwargs)
        loop = asyncio.get_running_loop()
        if isinstance(loop, SimulatedLoop):
            await loop.wait_until_idle()
        return result

    def transaction(self, function: Callable, *args):
        """`async with` it: `function` is called in a transaction, which ends with the block."""
        return open_transaction(function, *args)

    async def do_in_other_process(self, function: Callable, *args, **kwargs):
        """Call `function` as another process would, at once: a thread and connection of its own.

        Raises OperationalError where another holds the lock, and waits for none.
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
        """The account of that name; it is made if need be."""
        return await self.do(_account, name)

    @sync_to_async
    def log_in(self, name: str, *permissions: str) -> list[tuple[bytes, bytes]]:
        """The headers of a browser in which `name` has logged in; the account is made if need be.

        Permissions are written as in has_perm: "auth.change_user".
        """
        user = _account(name)
        if permissions:
            user.user_permissions.add(*map(_permission, permissions))
        values = {
            auth.SESSION_KEY: str(user.pk),
            auth.BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            auth.HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        return _cookie_of(values)  # as login() leaves it, at half the price

    @sync_to_async
    def start_session(self, **values) -> list[tuple[bytes, bytes]]:
        """The headers of a browser whose session holds `values`, and no user."""
        return _cookie_of(values)

    @sync_to_async
    def restart(self) -> None:
        """Cut the connection of the handlers' thread; as in life, Django is not told."""
        connection.ensure_connection()
        connection.connection.close()

    async def unmanaged_connections(self) -> list[str]:
        """The threads that hold a connection which nothing will ever look after.

        Before each handler, Channels looks after that of the handlers' own thread.
        """
        cared_for = await sync_to_async(threading.current_thread)()
        held = [thread for opened, thread in _opened.items() if opened.connection is not None]
        return [it.name for it in held if it is not cared_for and it.is_alive()]


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is a file with all tables, and not a row in them.

    Queries that are made for a recorded connection are recorded. Nothing waits for the disk: what
    a check has written need not survive the machine.
    """
    global _in_use
    with _in_a_file() as file:
        await sync_to_async(_begin)(file)
        _in_use = True
        connection_created.connect(_note)
        try:
            with _kept_open(file):
                yield FreshDatabase()
        finally:
            _in_use = False
            connection_created.disconnect(_note)
            await sync_to_async(connections.close_all)()
            _close_what_is_left()


def prepare() -> None:
    """Make the tables now: those that are forked from this process need not."""
    with _in_a_file() as file:
        _make_template(file)


@contextmanager
def _in_a_file():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "check.sqlite3"
        # pytest-django shuts the project's database by the base class's method of that name.
        unshut = mock.patch.object(DatabaseWrapper, "ensure_connection", _connect, create=True)
        default = connections.databases["default"]
        init_command = f"{default['OPTIONS']['init_command']} {_UNSYNCED}"
        options = {**default["OPTIONS"], "init_command": init_command}
        with unshut, mock.patch.dict(default, NAME=str(file), OPTIONS=options):
            yield file


def _kept_open(file: Path):
    """A connection that does nothing: with it, no other is the last one.

    The last to close a file with a write-ahead log clears the log away, and the next makes it anew:
    half of what a handler's query costs, as Channels closes the connection before each handler.
    """
    kept = sqlite3.connect(file, check_same_thread=False)
    kept.execute(_UNSYNCED)
    kept.execute("SELECT count(*) FROM sqlite_master")
    return closing(kept)


def _note(connection, **kwargs) -> None:
    _opened[connection] = threading.current_thread()


def _close_what_is_left() -> None:
    """Cut connections of other threads, too: the file goes, and its space with it."""
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
    """Put the database there: made once a process, then copied."""
    connections.close_all()
    record_queries()
    if _template:
        file.write_bytes(_template)
    else:
        _make_template(file)


def _make_template(file: Path) -> None:
    global _template
    create_tables()
    connections.close_all()  # and so all of it is in the file
    _template = file.read_bytes()


def create_tables() -> None:
    """As the migrations leave them, in a twentieth of their time."""
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)


def _cookie_of(values: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a browser with a new session that holds `values`."""
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
    """Channels does not look after connections, as in the stock communicator.

    A test that may not touch the database has none. Where one is in use, it does.
    """
    if _in_use:
        return nullcontext()
    return mock.patch.object(db, "close_old_connections", _nothing)  # a Mock takes 1 ms to make


def _nothing() -> None:
    """Takes the place of Django's close_old_connections."""


# A transaction that stays open while a check looks at what others see of it.


class OpenTransaction:
    """A transaction in which all is written, and which waits to be told that it may end."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.end = threading.Event()
        self.rolls_back = False

    def run(self, loop: SimulatedLoop, function: Callable, *args) -> None:
        here = threading.get_ident()
        try:
            with transaction.atomic():
                function(*args)
                loop.held_threads.add(here)
                loop.call_soon_threadsafe(self.begun.set)
                self.end.wait()
                loop.held_threads.discard(here)
                transaction.set_rollback(self.rolls_back)
        finally:
            loop.held_threads.discard(here)
            connection.close()


@asynccontextmanager
async def open_transaction(function: Callable, *args):
    """`function` is called in a transaction of another thread, which ends with this block.

    Everything else has come to rest by the time that the block begins, and when it has ended.
    Yields an OpenTransaction, which can be told to end in a rollback.
    """
    loop, open_one = asyncio.get_running_loop(), OpenTransaction()
    job = asyncio.create_task(
        sync_to_async(open_one.run, thread_sensitive=False)(loop, function, *args)
    )
    begun = asyncio.create_task(open_one.begun.wait())
    await asyncio.wait([job, begun], return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    if job.done():
        await job  # raises what the function has raised
    try:
        await loop.wait_until_idle()
        yield open_one
    finally:
        open_one.end.set()
        await job
    await loop.wait_until_idle()
