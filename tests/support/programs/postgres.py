"""A private PostgreSQL server for a test, and sessions of psql on it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.required_programs import POSTGRESQL, find_program, skip_or_fail

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
# PostgreSQL does not run as root. The Debian packages create this account.
_ACCOUNT = {"user": "postgres"} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}
_OPTIONS = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=1MB"]


class Postgres:
    """A server in its own folder, which also has its socket; a context manager."""

    def __enter__(self):
        initdb = Path(find_program(POSTGRESQL)).resolve()  # Debian puts no other on the PATH
        self._psql = initdb.with_name("psql")
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        try:
            _change_owner(self.folder)
            data = str(self.folder / "data")
            _run([initdb, "-D", data, "-N", "-A", "trust", "-U", "postgres", "--no-locale"])
            self.server = subprocess.Popen(
                [initdb.with_name("postgres"), "-D", data, "-k", str(self.folder), *_OPTIONS],
                **_ACCOUNT, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        for line in self.server.stderr:
            if "ready to accept connections" in line:
                return self
        raise AssertionError("the server did not start")

    def __exit__(self, *_):
        self.server.terminate()
        self.server.communicate(timeout=TEST_TIMEOUT)
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """The server's database, for DATABASE_URL."""
        return f"postgres://postgres@/postgres?host={self.folder}"

    def session(self):
        command = [self._psql, "-h", str(self.folder), "-U", "postgres", "-qAtX"]
        return Session(command)


class Session:
    """One connection. Calling it runs a statement and returns the first column of the rows."""

    def __init__(self, command):
        self.psql = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.psql.communicate(timeout=TEST_TIMEOUT)

    def __call__(self, sql):
        self.begin(sql)
        return self.end()

    def begin(self, sql):
        """Send the statement, and do not wait for its result."""
        self.psql.stdin.write(f"{sql};\n\\echo end-of-rows\n")
        self.psql.stdin.flush()

    def end(self):
        return list(iter(self._next_row, "end-of-rows"))

    def _next_row(self):
        line = self.psql.stdout.readline()
        assert line, "psql has ended"
        return line.rstrip("\n")


def _change_owner(folder):
    try:
        if _ACCOUNT:
            shutil.chown(folder, **_ACCOUNT)
    except LookupError:
        skip_or_fail(
            "PostgreSQL does not run as root, and this machine has no account named postgres."
        )


def _run(command):
    subprocess.run(
        command, **_ACCOUNT, cwd="/", check=True, capture_output=True, timeout=TEST_TIMEOUT
    )
