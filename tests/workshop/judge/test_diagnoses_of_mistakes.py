"""Each mistake that a verdict once explained wrongly gets its own diagnosis, at its own line."""

import tomllib
from pathlib import Path

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import Target
from lessons.workshop.judge import judge
from tests.submissions.test_submissions import source_of

TABLE = Path(__file__).with_name("diagnoses_of_mistakes.toml")
LESSONS = tomllib.loads(TABLE.read_text(encoding="utf-8"))
MISTAKES = [
    pytest.param(int(number), mistake, id=f"{number}: {name}")
    for number, mistakes in LESSONS.items()
    for name, mistake in mistakes.items()
]


@pytest.mark.parametrize(("number", "mistake"), MISTAKES)
def test_a_mistake_gets_its_own_diagnosis(number, mistake):
    lesson = find(number)
    source = source_of(lesson.solution.read_text(encoding="utf-8"), mistake["changes"])
    names = lesson.exercise_name, lesson.exercise_base
    verdict = judge(lesson, Target("submission", lesson.exercise, *names, source))
    found = verdict.findings[0] if verdict.findings else None
    assert (found.diagnosis if found else "green") == mistake["diagnosis"]
    if "line" in mistake:
        assert mistake["line"] in source.splitlines()[found.line - 1]
    if "words" in mistake:
        assert mistake["words"] in f"{found.message} {found.detail}"
