"""The database of a check: all tables, no rows, and a server that can be restarted.

The database is an SQLite file in a temporary folder. The tables are created once in each process
and then copied, since migrations take longer than most checks. A process that only plays uses one
file, and deletes the rows before each conversation.
"""

import asyncio
import re
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from unittest import mock

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import close_old_connections, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper

from ..recording.queries import record_queries
from ..scheduling import threads
from ..scheduling.loop import SimulatedLoop
from ..scheduling.patches import install, installed

LOCK_TIMEOUT = 5  # seconds, as Python's sqlite3 waits for another connection to end its writing
_NUMBER_IN_POOL = re.compile(r"_\d+$")  # of a thread: asyncio_1, ThreadPoolExecutor-0_3
_DO_NOT_WAIT_FOR_DISK = "PRAGMA synchronous = OFF"  # no check needs its rows after a power cut
_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table'"

_template = b""  # the content of the file when it has tables and no rows
_file: "_File | None" = None  # which Django uses now


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

    async def do_in_other_process(self, function: Callable, *args, waits_for_lock=False, **kwargs):
        """Call `function` at once, as another process would: in another thread and connection.

        Without `waits_for_lock`, it raises OperationalError if another connection holds a lock.
        """

        def call():
            try:
                _set_lock_timeout(LOCK_TIMEOUT if waits_for_lock else 0)
                return function(*args, **kwargs)
            finally:
                _set_lock_timeout(LOCK_TIMEOUT)  # another one may get this connection
                connection.close()

        return await sync_to_async(call, thread_sensitive=False)()

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
        threads = [it for wrapper, it in _file.opened.items() if wrapper.connection is not None]
        names = [it.name for it in threads if it is not managed and it.is_alive()]
        return sorted({_NUMBER_IN_POOL.sub("", name) for name in names})


def _set_lock_timeout(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000}")


class _File:
    """A file with a database, and open connections to it that Django does not use now.

    Django opens and closes a connection for each handler, and a new connection takes longer than
    most queries. So a connection that Django closes is kept, and given to the next that it opens.
    """

    def __init__(self, folder: str | Path):
        self.path = Path(folder) / "check.sqlite3"
        self.opened: dict[BaseDatabaseWrapper, threading.Thread] = {}  # the thread that opened it
        self._idle: list[sqlite3.Connection] = []
        self._cleaner: sqlite3.Connection | None = None

    @property
    def settings(self) -> dict:
        """The settings of a database with which Django opens this file."""
        options = connections.databases["default"].get("OPTIONS", {})
        init_command = f"{options.get('init_command', '')} {_DO_NOT_WAIT_FOR_DISK}"
        return {"NAME": str(self.path), "OPTIONS": {**options, "init_command": init_command}}

    def make_empty(self) -> None:
        """Give it all tables and no rows: with a copy of the template, or by deleting the rows."""
        if self._cleaner and self._delete_rows():
            return
        self.close()
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()
        if not _template:
            _make_template(self)
        self.path.write_bytes(_template)
        self._cleaner = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        self._cleaner.execute(_DO_NOT_WAIT_FOR_DISK)
        self._version = self._schema_version()
        self._without_sequence = self._names(f"{_NAMES} AND sql NOT LIKE '%AUTOINCREMENT%'")

    def _delete_rows(self) -> bool:
        """Returns False if that is not enough, since the tables have changed or are locked."""
        if self._schema_version() != self._version:
            return False
        with suppress(sqlite3.OperationalError):  # locked by a thread that hangs
            self._cleaner.execute("BEGIN IMMEDIATE")
            # SQLite notes the last id of each table that has had a row, so most need no DELETE.
            used = self._names("SELECT name FROM sqlite_sequence")
            for table in (*used, *self._without_sequence):  # without the notes, ids begin with 1
                self._cleaner.execute(f'DELETE FROM "{table}"')
            self._cleaner.execute("COMMIT")
            return True
        return False

    def _schema_version(self) -> int:
        return self._cleaner.execute("PRAGMA schema_version").fetchone()[0]

    def _names(self, query: str) -> list[str]:
        return [name for (name,) in self._cleaner.execute(query)]

    def open(self, wrapper: DatabaseWrapper, params: dict) -> sqlite3.Connection:
        self.opened[wrapper] = threading.current_thread()
        with suppress(IndexError):  # another thread may take the last one
            return self._idle.pop()
        return _usual_open(wrapper, params)

    def keep(self, raw: sqlite3.Connection | None) -> None:
        with suppress(sqlite3.Error, AttributeError):  # closed, or none
            raw.rollback()
            self._idle.append(raw)

    def is_open_in(self, executor: ThreadPoolExecutor) -> bool:
        """Whether Django has a connection in a thread of this pool."""
        threads = executor._threads
        return any(it.connection and thread in threads for it, thread in self.opened.items())

    def close(self) -> None:
        for raw in (*self._idle, self._cleaner):
            if raw is not None:
                raw.close()
        self._idle, self._cleaner = [], None


def is_in_transaction() -> bool:
    """Whether any thread has begun a transaction that is not committed."""
    return _file is not None and any(it.in_atomic_block for it in [*_file.opened])


# What Django does with the file. pytest-django forbids the project's database: it replaces
# ensure_connection() of the base class.

_usual_open = DatabaseWrapper.get_new_connection


def _connect(self) -> None:
    if self.connection is None:
        with self.wrap_database_errors:
            self.connect()


PATCHES = (
    (DatabaseWrapper, "ensure_connection", _connect),
    (DatabaseWrapper, "get_new_connection", lambda wrapper, params: _file.open(wrapper, params)),
    (DatabaseWrapper, "_close", lambda wrapper: _file.keep(wrapper.connection)),
    # With DEBUG, Django would write each query again with its parameters, for connection.queries.
    (BaseDatabaseWrapper, "queries_logged", property(lambda wrapper: wrapper.force_debug_cursor)),
)


def keep_file_in(folder: str) -> None:
    """From now on, all checks of this process use one file in this folder, and so does Django."""
    global _file
    _file = _File(folder)
    connections.databases["default"].update(_file.settings)
    install(PATCHES)


@contextmanager
def _used_file():
    """Within it, Django's default database is this file."""
    global _file
    if _file is not None:
        yield _file
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(_File(folder)) as _file,
        mock.patch.dict(connections.databases["default"], _file.settings),
        installed(PATCHES),
    ):
        try:
            yield _file
        finally:
            _file = None


@asynccontextmanager
async def fresh_database():
    """Within it, Django's default database is a file with all tables and no rows.

    The queries of a recorded connection are recorded.
    """
    with _used_file() as file, mock.patch.object(threads, "has_connections", file.is_open_in):
        await sync_to_async(_begin)(file)
        try:
            yield FreshDatabase()
        finally:
            await sync_to_async(connections.close_all)()
            for wrapper in file.opened:  # in all threads: an open file would keep its disk space
                if wrapper.connection is not None:
                    wrapper.connection.close()
                    wrapper.connection = None
            file.opened.clear()


def _begin(file: _File) -> None:
    connections.close_all()
    record_queries()
    apps.get_model("contenttypes", "ContentType").objects.clear_cache()  # ids of earlier rows
    file.make_empty()


def prepare() -> None:
    """Create the tables now: processes that are forked from this one copy them."""
    with _used_file() as file:
        _make_template(file)


def _make_template(file: _File) -> None:
    """Migrations would create the same tables, but take twenty times as long."""
    global _template
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)
    connections.close_all()
    file.close()  # writes everything into the file
    _template = file.path.read_bytes()
