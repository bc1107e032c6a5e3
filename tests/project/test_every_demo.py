"""Whatever comes, and in whatever order: no worked consumer fails but in a way that a lesson names.

Hypothesis makes up stories of up to three clients of one demo. The suite tells few of them, always
the same; `EXAMPLES=1000 pytest tests/project/test_every_demo.py` tells that many of each, other
ones each time.
"""

import asyncio
import logging
import os
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from async_demo import consumers as async_consumers
from lessons.core.catalogue import find
from lessons.playback.target import resolve
from lessons.simulator.finding import CheckFailed
from lessons.simulator.loop import SimulatedLoop
from lessons.simulator.student_module import application_for
from tests.support.demo_story import told
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
def quick(monkeypatch, settings):
    """Nobody waits, a password costs nothing, and what is logged is not looked at."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(async_consumers, "time", SimpleNamespace(sleep=lambda seconds: None))
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def tell(demo, steps):
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(told(demo, steps))


def judge(demo, steps):
    """Raise CheckFailed or AssertionError for a fault, or where a client sees others' events."""
    heard = tell(demo, steps)
    if not demo.is_sharing:
        who = max(heard)
        own = [step for step in steps if step[1] in (None, who)]
        assert tell(demo, own)[who] == heard[who], f"client {who} hears something else when alone"


@pytest.mark.parametrize("demo", demos(), ids=lambda demo: demo.name)
def test_fails_in_no_way_that_no_lesson_names(demo):
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
def test_a_wrong_consumer_is_found_out(mistake):
    slug, _, name = mistake.partition(":")
    lesson = find(slug)
    application = application_for(resolve(lesson, f"mistake:{name}").load(), lesson)
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
