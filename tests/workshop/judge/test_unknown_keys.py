"""A key that Daphne ignores is named where its effect is missing, and nowhere else."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import Target
from lessons.workshop.judge import judge


def finding_of(lesson, old, new):
    lesson = find(lesson)
    source = lesson.solution.read_text(encoding="utf-8")
    assert old in source
    names = lesson.exercise_name, lesson.exercise_base
    verdict = judge(lesson, Target("changed", lesson.exercise, *names, source.replace(old, new)))
    return next(iter(verdict.findings), None)


@pytest.mark.parametrize(
    ("lesson", "old", "new", "diagnosis", "meant"),
    [
        ("accept", '"subprotocol":', '"subprotocols":', "unknown-key", "subprotocol"),
        ("stop", '"code":', '"close_code":', "unknown-key", "code"),
        ("frames", '"text":', '"txt":', "send-without-payload", "text"),
    ],
)
def test_a_misspelt_key_is_named(lesson, old, new, diagnosis, meant):
    finding = finding_of(lesson, old, new)
    assert finding.diagnosis == diagnosis
    assert f"the key {new[1:-2]!r} of " in finding.detail
    assert f"Write {meant!r}." in finding.detail
    assert finding.line


def test_a_key_without_an_effect_is_not_a_failure():
    old = '{"type": "websocket.accept"}'
    assert finding_of("stop", old, '{"type": "websocket.accept", "greeting": "hi"}') is None


def test_a_code_that_is_a_text_is_shown_by_its_repr():
    finding = finding_of("stop", '"code": code', '"code": str(code)')
    assert finding.diagnosis == "forbidden-close-code"
    assert "a str. It must be an int." in finding.detail
