"""A workshop with DATABASE_URL: its tables and its chat are in a real PostgreSQL."""

import json
from contextlib import asynccontextmanager
from importlib.util import find_spec

import pytest
from websockets.asyncio.client import connect

from tests.support.programs.processes import run
from tests.support.programs.project_commands import workshop_copy
from tests.support.programs.running_program import wait_until
from tests.support.required_programs import skip_or_fail


@pytest.fixture(scope="module")
def workshop(postgres):
    if find_spec("psycopg") is None:
        skip_or_fail("There is no psycopg: pip install --require-hashes -r .ci/postgres.txt")
    with workshop_copy(DATABASE_URL=postgres.url) as workshop:
        yield workshop


@pytest.fixture
def psql(postgres, workshop):
    """A session on the tables of the workshop."""
    with postgres.session() as session:
        yield session


@asynccontextmanager
async def open_chat(workshop, seen=0):
    url = f"{workshop.address.replace('http', 'ws')}/ws/chat/late/?seen={seen}"
    async with connect(url, proxy=None, origin=workshop.address) as client:
        yield client


async def next_message(client):
    """The next message. Frames about who is present are ignored."""
    while "message" not in (frame := json.loads(await client.recv())):
        pass
    return frame


def test_the_workshop_creates_its_tables_and_accounts_there(workshop, psql):
    assert psql("SELECT username FROM auth_user ORDER BY username") == ["instructor", "student"]
    assert psql("SELECT count(*) FROM db_demo_post") == ["0"]
    assert not list((workshop.folder / ".workshop").glob("*.sqlite3"))


async def test_a_reader_misses_no_message_whose_transaction_commits_late(workshop, postgres, psql):
    """The writer locks the room, so the lower id is committed first."""
    async with open_chat(workshop) as writer:
        await writer.send('{"message": "first"}')
        first = (await next_message(writer))["id"]
        psql("BEGIN")
        # An INSERT that refers to the room does not wait for this lock. FOR UPDATE waits.
        room = psql("SELECT id FROM db_demo_room WHERE name = 'late' FOR NO KEY UPDATE")[0]
        psql(
            "INSERT INTO db_demo_message (room_id, text, written_at, key) "
            f"VALUES ({room}, 'second', now(), '')"
        )
        await writer.send('{"message": "third"}')
        with postgres.session() as watcher:
            wait_until(lambda: watcher("SELECT count(*) FROM pg_locks WHERE NOT granted") == ["1"])
        psql("COMMIT")
        assert (await next_message(writer))["message"] == "second"
        assert (await next_message(writer))["message"] == "third"
    async with open_chat(workshop, seen=first) as reader:
        assert (await next_message(reader))["message"] == "second"
        assert (await next_message(reader))["message"] == "third"


def test_a_verdict_does_not_need_the_database(workshop):
    check = ["manage.py", "lesson", "check", "orm", "--target", "mistake:ReturnsTheQuerySet"]
    url = "postgres://127.0.0.1:1/unreachable"
    done = run(check, cwd=workshop.folder, env={"PATH": "", "DATABASE_URL": url})
    assert (done.returncode, done.stderr, "lazy-queryset" in done.stdout) == (1, "", True)


def test_an_unreachable_server_is_reported_in_one_line_with_the_cure(workshop):
    url = "postgres://ada:secret@127.0.0.1:1/unreachable"
    start = ["manage.py", "workshop", "--port", "0"]
    failed = run(start, cwd=workshop.folder, env={"PATH": "", "DATABASE_URL": url})
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "The database of DATABASE_URL: connection failed" in failed.stderr
    assert "or unset it" in failed.stderr
    assert "secret" not in failed.stderr
