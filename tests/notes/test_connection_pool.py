"""How many connections to PostgreSQL a process of Daphne has, and what shares them."""

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from urllib.request import ProxyHandler, build_opener

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, models
from django.test.utils import isolate_apps
from websockets.sync.client import connect

from lessons.workshop.setup.external_programs import PGBOUNCER
from tests.support.programs.postgres import Postgres
from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne
from tests.support.required_programs import find_program, skip_or_fail

PORT = 6543  # only the name of the socket has it
on_postgres = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets.")


@pytest.fixture(scope="module")
def postgres():
    for name in ("psycopg", "psycopg_pool"):
        if find_spec(name) is None:
            skip_or_fail(f"There is no {name}: pip install --require-hashes -r .ci/extras.txt")
    with Postgres() as server:
        yield server


@contextmanager
def serving(postgres, max_age, pool_size):
    arguments = (str(postgres.folder), str(max_age), str(pool_size))
    with RealDaphne("connections_server", *arguments) as server:
        yield server


def counts_of_consumers(server, number):
    """What `number` clients that are connected at the same time count, one after the other."""
    with ExitStack() as stack:
        url = f"ws://127.0.0.1:{server.port}/"
        clients = [stack.enter_context(connect(url, proxy=None)) for _ in range(number)]
        for client in clients:
            client.send("count")
        return [int(client.recv(timeout=TEST_TIMEOUT)) for client in clients]


def counts_of_views(server, number):
    """What `number` requests that are in the view at the same time count."""
    opener = build_opener(ProxyHandler({}))

    def get(_):
        with opener.open(f"http://127.0.0.1:{server.port}/{number}/", timeout=TEST_TIMEOUT) as page:
            return int(page.read())

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(get, range(number)))


@on_postgres
def test_all_consumers_of_a_process_share_one_connection(postgres):
    with serving(postgres, max_age=60, pool_size=0) as server:
        assert counts_of_consumers(server, 5) == [1] * 5


@on_postgres
def test_each_view_that_runs_at_the_same_time_has_a_connection(postgres):
    with serving(postgres, max_age=60, pool_size=0) as server:
        assert counts_of_consumers(server, 1) == [1]
        assert counts_of_views(server, 4) == [5] * 4


@on_postgres
def test_views_and_consumers_share_the_connections_of_a_pool(postgres):
    with serving(postgres, max_age=0, pool_size=4) as server:
        assert max(counts_of_views(server, 4)) == 4
        assert max(counts_of_consumers(server, 5)) == 4


def test_the_pool_of_django_refuses_persistent_connections():
    pytest.importorskip("psycopg")
    from django.db.backends.postgresql.base import DatabaseWrapper

    options = {"OPTIONS": {"pool": True}, "CONN_MAX_AGE": 60}
    database = DatabaseWrapper(connection.settings_dict | options)
    with pytest.raises(
        ImproperlyConfigured, match="Pooling doesn't support persistent connections"
    ):
        assert database.pool


class PgBouncer:
    """A PgBouncer in transaction mode with two connections to this server; a context manager."""

    def __init__(self, program, postgres):
        self.program, self.folder = program, postgres.folder

    def __enter__(self):
        (self.folder / "users").write_text('"postgres" ""\n')
        (self.folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host={self.folder}\n[pgbouncer]\nlisten_port = {PORT}\n"
            f"unix_socket_dir = {self.folder}\nauth_type = trust\nauth_file = {self.folder}/users\n"
            "pool_mode = transaction\ndefault_pool_size = 2\n"
        )
        user = ["-u", "postgres"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(
            [self.program, *user, self.folder / "pgbouncer.ini"], stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if "process up" in line:
                return self
        raise AssertionError("PgBouncer did not start")

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=TEST_TIMEOUT)

    def connect(self, **options):
        from django.db.backends.postgresql.base import DatabaseWrapper

        place = {"NAME": "postgres", "USER": "postgres", "HOST": str(self.folder), "PORT": PORT}
        return DatabaseWrapper(connection.settings_dict | place | {"OPTIONS": {}} | options)


@pytest.fixture
def bouncer(postgres, django_db_blocker):
    """`bouncer()`: a new connection of Django to PgBouncer."""
    program = find_program(PGBOUNCER)
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        server = stack.enter_context(PgBouncer(program, postgres))

        def connect_django(**options):
            client = server.connect(**options)
            stack.callback(client.close)
            return client

        yield connect_django


@on_postgres
def test_pgbouncer_shares_few_connections_between_many_clients(bouncer):
    clients, seen = [bouncer() for _ in range(6)], set()
    for client in clients:
        with client.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            seen.add(cursor.fetchone())
    assert len(seen) <= 2


@on_postgres
@isolate_apps("db_demo")
@pytest.mark.filterwarnings("ignore:.* was deleted while still open:ResourceWarning")
@pytest.mark.parametrize("disabled", [True, False])
def test_behind_pgbouncer_iterator_needs_server_side_cursors_to_be_disabled(bouncer, disabled):
    import psycopg

    class Relation(models.Model):  # noqa: DJ008
        oid = models.IntegerField(primary_key=True)

        class Meta:
            app_label, db_table, managed = "db_demo", "pg_class", False

    connections["reader"], writer = bouncer(DISABLE_SERVER_SIDE_CURSORS=disabled), bouncer()
    try:
        rows = Relation.objects.using("reader").iterator(chunk_size=1)
        assert isinstance(next(rows), Relation)
        writer.set_autocommit(False)  # it keeps the connection on which the rows are read
        with writer.cursor() as cursor:
            cursor.execute("SELECT 1")
        try:
            is_read = isinstance(next(rows), Relation)
        except psycopg.errors.InvalidCursorName:  # of the close, which fails too
            is_read = False
        assert is_read is disabled
        writer.rollback()
        rows.close()
    finally:
        del connections["reader"]
        gc.collect()  # the cursor that PostgreSQL does not have cannot be closed
