"""The database of a check: all tables, no rows, and a server that can be restarted.

The database is an SQLite file in a temporary folder. The tables are created once in each process
and then copied, since migrations take longer than most checks.
"""

import asyncio
import re
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from importlib import import_module
from pathlib import Path
from unittest import mock

from asgiref.sync import sync_to_async
from channels import db
from django.apps import apps
from django.conf import settings
from django.contrib import auth
from django.db import close_old_connections, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.sqlite3.base import DatabaseWrapper

from lessons.workshop.engine.recording.queries import record_queries
from lessons.workshop.engine.world.loop import SimulatedLoop, nothing

LOCK_TIMEOUT = 5  # seconds, as Python's sqlite3 waits for another connection to end its writing
_NUMBER_IN_POOL = re.compile(r"_\d+$")  # of a thread: asyncio_1, ThreadPoolExecutor-0_3
_in_use = False
_opened: dict[BaseDatabaseWrapper, threading.Thread] = {}
_DO_NOT_WAIT_FOR_DISK = "PRAGMA synchronous = OFF"  # no check needs its rows after a power cut
_kept_file: "_File | None" = None
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
                loop.parked_threads.add(thread)
                loop.call_soon_threadsafe(self.begun.set)
                self.end.wait()
                loop.parked_threads.discard(thread)
                transaction.set_rollback(self.rolls_back)
        finally:
            loop.parked_threads.discard(thread)
            connection.close()


class OtherTransaction:
    """A transaction of another process, in its own thread and connection.

    begin() within it sets a savepoint. end() ends the transaction or the last savepoint.
    """

    def __init__(self):
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="other-transaction")
        self._blocks: list[transaction.Atomic] = []
        self.objects: dict = {}  # (model, id) → the object that was saved in the transaction

    @property
    def is_open(self) -> bool:
        return bool(self._blocks)

    async def do(self, function: Callable, *args):
        """Call `function` within the transaction, and return its result."""
        return await sync_to_async(function, thread_sensitive=False, executor=self._thread)(*args)

    async def begin(self) -> None:
        self._blocks.append(transaction.atomic())
        await self.do(self._blocks[-1].__enter__)

    async def end(self, rolls_back: bool) -> None:
        """Commit or roll back. Without a transaction, nothing happens."""
        if self._blocks:
            await self.do(self._end, self._blocks.pop(), rolls_back)

    def _end(self, block, rolls_back):
        transaction.set_rollback(rolls_back)
        try:
            block.__exit__(None, None, None)
        finally:
            if not self._blocks:
                self.objects.clear()
                connection.close()

    async def close(self) -> None:
        """Roll back what is open, and end the thread."""
        while self._blocks:
            await self.end(rolls_back=True)
        self._thread.shutdown()


class FreshDatabase:
    """What a check itself, not the consumer, can do with the database."""

    def __init__(self):
        self._was_restarted = False

    async def do(self, function: Callable, *args, **kwargs):
        """Call `function` in the thread of sync handlers, and return its result.

        In a check it returns when the effects of signals and on_commit are over.
        """
        if self._was_restarted:
            self._was_restarted = False
            await sync_to_async(close_old_connections)()
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

    async def do_in_other_process(self, function: Callable, *args, waits_for_lock=False, **kwargs):
        """Call `function` at once, as another process would: in another thread and connection.

        Without `waits_for_lock`, it raises OperationalError if another connection holds a lock.
        """

        def call():
            try:
                with connection.cursor() as cursor:
                    seconds = LOCK_TIMEOUT if waits_for_lock else 0
                    cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000}")
                return function(*args, **kwargs)
            finally:
                with connection.cursor() as cursor:  # another one may get this connection
                    cursor.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
                connection.close()

        return await sync_to_async(call, thread_sensitive=False)()

    async def add_account(self, name: str):
        """The account with that name. It is created if it does not exist."""
        return await self.do(get_or_create_account, name)

    @sync_to_async
    def log_in(self, name: str, *permissions: str) -> list[tuple[bytes, bytes]]:
        """The headers of a browser in which `name` is logged in. Creates the account if needed.

        Permissions are written as for has_perm: "auth.change_user".
        """
        user = get_or_create_account(name)
        if permissions:
            user.user_permissions.add(*map(_permission, permissions))
        values = {
            auth.SESSION_KEY: str(user.pk),
            auth.BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            auth.HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        return cookie_of(values)  # the same session as login() makes, in half the time

    @sync_to_async
    def start_session(self, **values) -> list[tuple[bytes, bytes]]:
        """The headers of a browser whose session holds `values`, and no user."""
        return cookie_of(values)

    @sync_to_async
    def restart(self) -> None:
        """Close the connection of the handlers' thread. Django does not notice."""
        self._was_restarted = True
        connection.ensure_connection()
        connection.connection.close()

    async def unmanaged_connections(self) -> list[str]:
        """Names of the threads or pools with an open connection that no code will ever close.

        Channels closes old connections before each handler, but only in the handlers' thread. The
        threads of a pool have one name here: which of them is free depends on the machine.
        """
        managed = await sync_to_async(threading.current_thread)()
        held = [thread for opened, thread in _opened.items() if opened.connection is not None]
        names = [it.name for it in held if it is not managed and it.is_alive()]
        return sorted({_NUMBER_IN_POOL.sub("", name) for name in names})


class _File:
    """A file with a database, and open connections to it that Django does not use now.

    Django opens and closes a connection for each handler, and a new connection takes longer than
    most queries. So a connection that Django closes is kept, and given to the next that it opens.
    """

    def __init__(self, folder: str | Path):
        self.path = Path(folder) / "check.sqlite3"
        self._idle: list[sqlite3.Connection] = []
        self._cleaner: sqlite3.Connection | None = None

    def make_empty(self) -> None:
        """Fill the file: with new tables in the first check of a process, then with a copy."""
        if self._cleaner is None or not self._delete_rows():
            self._write()

    def _write(self) -> None:
        self.close()
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()
        if _template:
            self.path.write_bytes(_template)
        else:
            _make_template(self)
        self._cleaner = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._cleaner.execute(_DO_NOT_WAIT_FOR_DISK)
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        self._tables = [name for (name,) in self._cleaner.execute(names)]
        self._version = self._schema_version()

    def _delete_rows(self) -> bool:
        """Returns False if that is not enough, since the tables have changed."""
        if self._schema_version() != self._version:
            return False
        with suppress(sqlite3.OperationalError):  # locked by a thread that hangs
            self._cleaner.execute("BEGIN IMMEDIATE")
            for table in self._tables:  # with sqlite_sequence, so ids begin with 1
                self._cleaner.execute(f'DELETE FROM "{table}"')
            self._cleaner.execute("COMMIT")
            return True
        return False

    def _schema_version(self) -> int:
        return self._cleaner.execute("PRAGMA schema_version").fetchone()[0]

    @contextmanager
    def used(self):
        """Within it, Django's default database is this file."""
        # pytest-django forbids the project's database: it replaces this method of the base class.
        methods = {
            "ensure_connection": _connect,
            "get_new_connection": lambda wrapper, params: self._open(wrapper, params),
            "_close": lambda wrapper: self._keep(wrapper.connection),
        }
        default = connections.databases["default"]
        init_command = f"{default['OPTIONS']['init_command']} {_DO_NOT_WAIT_FOR_DISK}"
        options = {**default["OPTIONS"], "init_command": init_command}
        with ExitStack() as stack:
            for name, method in methods.items():
                stack.enter_context(
                    mock.patch.object(DatabaseWrapper, name, method, create=name not in _OWN)
                )
            values = {"NAME": str(self.path), "OPTIONS": options}
            stack.enter_context(mock.patch.dict(default, **values))
            yield

    def _open(self, wrapper: DatabaseWrapper, params: dict) -> sqlite3.Connection:
        with suppress(IndexError):  # another thread may take the last one
            return self._idle.pop()
        return _usual_open(wrapper, params)

    def _keep(self, raw: sqlite3.Connection | None) -> None:
        with suppress(sqlite3.Error, AttributeError):  # closed, or none
            raw.rollback()
            self._idle.append(raw)

    def close(self) -> None:
        for raw in (*self._idle, self._cleaner):
            if raw is not None:
                raw.close()
        self._idle, self._cleaner = [], None


_usual_open = DatabaseWrapper.get_new_connection
_OWN = {"get_new_connection"}  # methods that the class does not inherit


def keep_file_in(folder: str) -> None:
    """From now on, all checks of this process use one file in this folder."""
    global _kept_file
    _kept_file = _File(folder)


@contextmanager
def _file():
    if _kept_file is not None:
        yield _kept_file
        return
    with tempfile.TemporaryDirectory() as folder, closing(_File(folder)) as file:
        yield file


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is a file with all tables and no rows.

    The queries of a recorded connection are recorded.
    """
    global _in_use
    with _file() as file, file.used():
        await sync_to_async(_begin)(file)
        _in_use = True
        connection_created.connect(_remember)
        try:
            yield FreshDatabase()
        finally:
            _in_use = False
            connection_created.disconnect(_remember)
            await sync_to_async(connections.close_all)()
            _close_leftover_connections()


def prepare() -> None:
    """Create the tables now: processes that are forked from this one copy them."""
    with _file() as file, file.used():
        _make_template(file)


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


def _begin(file: _File) -> None:
    connections.close_all()
    record_queries()
    apps.get_model("contenttypes", "ContentType").objects.clear_cache()  # ids of earlier rows
    file.make_empty()


def _make_template(file: _File) -> None:
    global _template
    create_tables()
    connections.close_all()
    file.close()  # writes everything into the file
    _template = file.path.read_bytes()


def create_tables(wrapper: BaseDatabaseWrapper = connection) -> None:
    """Create the tables that migrations would create, in a twentieth of the time."""
    with wrapper.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)


def cookie_of(values: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of a browser that has a new session with `values`."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update(values)
    session.save()
    return [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode())]


def get_or_create_account(name: str, **fields):
    """The account with that name. A new one has these fields."""
    users = apps.get_model("auth", "User").objects
    return users.get_or_create(username=name, defaults=fields)[0]


def change_account(name: str, fields: dict) -> None:
    """Change the account with that name, or create it.

    `password` is the new password in plain text. `permissions` and `group_permissions` replace its
    permissions, and those of its private group: lists of names as for has_perm, such as
    "auth.change_user".
    """
    user = get_or_create_account(name)
    rest = dict(fields)
    own, by_group = rest.pop("permissions", None), rest.pop("group_permissions", None)
    if rest:
        for field, value in rest.items():
            setattr(user, field, value)
        if "password" in rest:
            user.set_password(rest["password"])
        user.save(update_fields=list(rest))
    if own is not None:
        user.user_permissions.set(map(_permission, own))
    if by_group is not None:
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=f"group of {name}")
        group.permissions.set(map(_permission, by_group))
        user.groups.add(group)


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
    if _in_use or db.close_old_connections is nothing:
        return nullcontext()
    return mock.patch.object(db, "close_old_connections", nothing)  # a Mock takes 1 ms to make
