"""The database of a check: its content, and the signals of its rows.

The mistakes of lessons 19 and 20 prove which connections and receivers are faults.
"""

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from db_demo.models import Post
from lessons.workshop.engine.scheduling.patches import installed
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world import database as database_module
from lessons.workshop.engine.world.accounts import log_in
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.signal_receivers import (
    isolated_signals,
)
from lessons.workshop.engine.world.student_module import load_subject


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
            await sync_to_async(log_in)("ada")
            await Post.objects.acreate(title="news", author=await User.objects.aget())
            assert (await Post.objects.aget()).id == 1  # ids start at 1 again
            if creates_table:
                await database.do(create_table)
            assert ("of_a_student" in await database.do(table_names)) == creates_table


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


async def test_only_the_last_import_of_a_file_receives_signals(tmp_path, database):
    subject = Subject("trial", tmp_path / "trial.py", "Subject", source=READY)
    subjects = [load_subject(subject) for _ in range(3)]
    with isolated_signals(subjects[-1]):
        await database.do(Group.objects.create, name="editors")
    await database.do(Group.objects.create, name="guests")
    assert [subject.heard for subject in subjects] == [[], [], ["editors"]]
