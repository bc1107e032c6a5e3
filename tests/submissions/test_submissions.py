"""Submissions: each right version of an exercise is green, and each wrong one is red.

A table NN_slug.toml has a right file, `base`, and changes to it. A change is a list of [old, new]
pairs, of which each `old` occurs once, or a whole file. Most submissions stand here because a
verdict on them was wrong once. `diagnosis` holds the first diagnosis of some wrong ones.
"""

import tomllib
from functools import cache
from pathlib import Path

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.process.target import Target
from lessons.workshop.judge import judge

TABLES = sorted(Path(__file__).parent.glob("*.toml"))


@cache
def table(file):
    return tomllib.loads(file.read_text(encoding="utf-8"))


def source_of(base, change):
    if isinstance(change, str):
        return change
    for old, new in change:
        assert base.count(old) == 1, f"{old!r} occurs {base.count(old)} times"
        base = base.replace(old, new)
    return base


def submissions(kind):
    first = ["base"] if kind == "right" else []
    return [
        pytest.param(file, name, id=f"{file.stem}: {name}")
        for file in TABLES
        for name in [*first, *table(file).get(kind, {})]
    ]


def verdict_on(file, kind, name):
    base = table(file)["base"]
    source = base if name == "base" else source_of(base, table(file)[kind][name])
    lesson = find(int(file.stem[:2]))
    names = lesson.exercise_name, lesson.exercise_base
    return judge(lesson, Target("submission", lesson.exercise, *names, source))


@pytest.mark.parametrize(("file", "name"), submissions("right"))
def test_a_right_submission_is_green(file, name):
    verdict = verdict_on(file, "right", name)
    assert verdict.green, verdict.findings


@pytest.mark.parametrize(("file", "name"), submissions("wrong"))
def test_a_wrong_submission_is_red(file, name):
    verdict = verdict_on(file, "wrong", name)
    assert not verdict.green
    assert verdict.findings
    wanted = table(file).get("diagnosis", {}).get(name)
    assert wanted in (None, verdict.diagnosis_ids[0])


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_each_diagnosis_belongs_to_a_wrong_submission(file):
    assert table(file).get("diagnosis", {}).keys() <= table(file)["wrong"].keys()
