"""Property: a demo's consumer survives every story, except for errors that a lesson explains.

Hypothesis generates stories with up to three clients. The suite plays a few of them, always the
same. `EXAMPLES=1000 pytest tests/project/test_demo_stories.py` plays 1000 new ones for each demo.
"""

import asyncio
import logging
import os
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from async_demo import consumers as async_consumers
from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.process.target import resolve
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.engine.world.student_module import application_for, load_subject
from tests.support.demo_story import play_story
from tests.support.demos import Demo, demos
from tests.support.strategies import stories

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
SOME = settings(
    max_examples=EXAMPLES or 5,
    derandomize=not EXAMPLES,
    phases=(Phase.generate, Phase.shrink) if EXAMPLES else (Phase.generate,),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def fast(monkeypatch, settings):
    """Make sleeps and password hashes fast, and switch off the log."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(async_consumers, "time", SimpleNamespace(sleep=lambda seconds: None))
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def play(demo, steps):
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(play_story(demo, steps))


def judge(demo, steps):
    """Raise CheckFailed or AssertionError for a fault, or if clients affect each other."""
    received = play(demo, steps)
    if not demo.is_sharing:
        who = max(received)
        own_steps = [step for step in steps if step[1] in (None, who)]
        alone = play(demo, own_steps)[who]
        assert alone == received[who], f"client {who} receives something else when it is alone"


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_every_failure_of_a_demo_is_explained_by_a_lesson(demo):
    @SOME
    @given(stories(demo))
    def try_out(steps):
        judge(demo, steps)

    try_out()


@pytest.mark.parametrize(
    "mistake",
    [
        "frames:ReadsTextOnEveryFrame",
        "frames:CountsForEveryone",
        "push:LeavesItRunning",
        "push:CleansUpOnDisconnect",
        "group:NeverLeaves",
        "group:LeavesOnDisconnect",
    ],
)
def test_finds_a_wrong_consumer(mistake):
    slug, _, name = mistake.partition(":")
    lesson = find(slug)
    application = application_for(load_subject(resolve(lesson, f"mistake:{name}")), lesson)
    demo = Demo(mistake, "websocket", lesson.path, application)
    faults = []

    @SOME
    @given(stories(demo))
    def try_out(steps):
        try:
            faults or judge(demo, steps)
        except (CheckFailed, AssertionError) as fault:
            faults.append(fault)

    try_out()
    assert faults
