"""Which signal receivers a check calls, and what it sees of an open transaction."""

import gc
from textwrap import dedent
from weakref import ReferenceType

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.db.models.signals import post_save, pre_save

from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.world.database import fresh_database
from lessons.workshop.engine.world.signal_receivers import (
    SIGNALS,
    isolated_signals,
    receiver_was_lost,
)
from lessons.workshop.engine.world.student_module import load_subject
from lessons.workshop.judge import StrictCommunicator  # noqa: F401 - the loop of a check

HEAD = """\
from channels.consumer import AsyncConsumer
from django.contrib.auth.models import Group
from django.db.models.signals import post_save
from django.dispatch import receiver

class Subject(AsyncConsumer):
    heard = []

"""
READY = HEAD + dedent("""
    def note(instance, **kwargs):
        Subject.heard.append(instance.name)

    def ready():
        post_save.connect(note, sender=Group)
""")
AT_ONCE = HEAD + dedent("""
    @receiver(post_save, sender=Group, dispatch_uid="note")
    def note(instance, **kwargs):
        Subject.heard.append(instance.name)
""")
LAMBDA = HEAD + dedent("""
    def ready():
        post_save.connect(lambda **kwargs: None, sender=Group)
""")


@pytest.fixture
def load(tmp_path):
    file = tmp_path / "trial.py"
    return lambda source: load_subject(Target("trial", file, "Subject", source=source))


@pytest.fixture(autouse=True)
def all_is_as_before():
    before = [list(signal.receivers) for signal in SIGNALS]
    yield
    for signal, receivers in zip(SIGNALS, before, strict=True):
        assert [*filter(is_there, signal.receivers)] == [*filter(is_there, receivers)]


def is_there(entry):
    """Whether the receiver is alive. One that another test has lost may be freed any time."""
    return not isinstance(entry[1], ReferenceType) or entry[1]() is not None


def of_demos():
    there = filter(is_there, post_save.receivers)
    return [entry for entry in there if entry[1]().__module__ == "db_demo.signals"]


@pytest.mark.parametrize("source", [READY, AT_ONCE])
async def test_only_the_last_import_of_a_file_receives_signals(load, source):
    subjects = [load(source) for _ in range(3)]
    async with fresh_database() as database:
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
        with isolated_signals(load(source)):
            gc.collect()
            assert receiver_was_lost() is lost


def test_ignores_a_receiver_that_other_code_has_lost(load):
    pre_save.connect(lambda **kwargs: None)
    with isolated_signals(load(READY)):
        assert receiver_was_lost() is False


def create(name):
    Group.objects.create(name=name)


async def test_a_transaction_is_open_during_its_block():
    async with fresh_database() as database:
        async with database.transaction(create, "editors"):
            assert await Group.objects.acount() == 0
        assert await Group.objects.acount() == 1
        async with database.transaction(create, "guests") as this:
            this.rolls_back = True
        assert await Group.objects.acount() == 1
        assert await database.unmanaged_connections() == []


async def test_raises_the_exception_of_the_function():
    async with fresh_database() as database:
        await database.do(create, "editors")
        with pytest.raises(IntegrityError):
            async with database.transaction(create, "editors"):
                pytest.fail("there is no transaction")
        await database.do(create, "guests")  # the lock is free
