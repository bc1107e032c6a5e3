"""The database of a check: its content, its connections, its queries and its signals."""

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.signals import post_save

from db_demo.models import Post
from lessons.workshop.engine.scheduling.patches import installed
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world import database as database_module
from lessons.workshop.engine.world.cache import fresh_cache
from lessons.workshop.engine.world.database import OtherTransaction, fresh_database
from lessons.workshop.engine.world.signal_receivers import (
    isolated_signals,
)
from lessons.workshop.engine.world.student_module import load_subject


async def test_the_next_check_finds_an_empty_cache():
    cache.set("mine", 1)
    for _ in range(2):
        with fresh_cache():
            assert cache.get("mine") is None
            cache.set("mine", 2)
    assert cache.get("mine") == 1
    cache.delete("mine")


def test_migrations_create_all_tables_of_the_models():
    loader = MigrationLoader(None)
    state = ProjectState.from_apps(apps)
    assert MigrationAutodetector(loader.project_state(), state).changes(loader.graph) == {}


@pytest.fixture(params=["a file for each check", "one file"])
def file(request, monkeypatch, tmp_path):
    """As in a test, and as in a process that only plays."""
    if request.param != "one file":
        yield
        return
    default = connections.databases["default"]
    for name in ("NAME", "OPTIONS"):
        monkeypatch.setitem(default, name, default[name])
    monkeypatch.setattr(database_module, "_file", None)
    with installed(database_module.PATCHES):
        database_module.keep_file_in(tmp_path)
        yield


def table_names():
    return connection.introspection.table_names()


def create_table():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE of_a_student (id)")


async def test_the_next_check_finds_an_empty_database(file):
    for creates_table in (False, True, False, False):
        async with fresh_database() as database:
            for model in (Post, User, Session):
                assert await model.objects.acount() == 0
            await database.log_in("ada")
            await Post.objects.acreate(title="news", author=await User.objects.aget())
            assert (await Post.objects.aget()).id == 1  # ids start at 1 again
            if creates_table:
                await database.do(create_table)
            assert ("of_a_student" in await database.do(table_names)) == creates_table


async def test_names_threads_with_unmanaged_connections():
    async with fresh_database() as database:
        await database_sync_to_async(User.objects.count, thread_sensitive=False)()
        await User.objects.acount()
        assert await database.unmanaged_connections() == []
        await sync_to_async(User.objects.count, thread_sensitive=False)()
        await sync_to_async(User.objects.count, thread_sensitive=False)()
        assert await database.unmanaged_connections() == ["asyncio"]
    async with fresh_database() as database:
        assert await database.unmanaged_connections() == []


def create(name):
    Group.objects.create(name=name)


async def test_the_rows_of_another_transaction_are_seen_when_it_has_committed(database):
    other = OtherTransaction()
    for name, rolls_back, before, after in (("a", False, 0, 1), ("b", True, 1, 1)):
        await other.begin()
        await other.do(create, name)
        assert await Group.objects.acount() == before
        await other.end(rolls_back)
        assert await Group.objects.acount() == after
    await other.close()
    assert await database.unmanaged_connections() == []


# Signals


READY = """\
from channels.consumer import AsyncConsumer
from django.contrib.auth.models import Group
from django.db.models.signals import post_save

class Subject(AsyncConsumer):
    heard = []

def note(instance, **kwargs):
    Subject.heard.append(instance.name)

def ready():
    post_save.connect(note, sender=Group)
"""
LAMBDA = READY.replace("connect(note", "connect(lambda **kwargs: None")


@pytest.fixture
def load(tmp_path):
    file = tmp_path / "trial.py"
    return lambda source: load_subject(Subject("trial", file, "Subject", source=source))


def of_demos():
    """The living receivers of the worked examples."""
    living = [entry[1]() for entry in post_save.receivers]
    return [it for it in living if it and it.__module__ == "db_demo.signals"]


async def test_only_the_last_import_of_a_file_receives_signals(load, database):
    subjects = [load(READY) for _ in range(3)]
    with isolated_signals(subjects[-1]):
        await database.do(Group.objects.create, name="editors")
    await database.do(Group.objects.create, name="guests")
    assert [subject.heard for subject in subjects] == [[], [], ["editors"]]


def test_the_receivers_of_worked_examples_are_not_called(load):
    assert of_demos()
    with isolated_signals(load(READY)):
        assert not of_demos()
    assert of_demos()


def test_notices_a_lost_receiver_even_with_debug_on(load, settings):
    settings.DEBUG = True
    for source, lost in ((LAMBDA, True), (READY, False)):
        with isolated_signals(load(source)) as receiver_was_lost:
            assert receiver_was_lost is lost
