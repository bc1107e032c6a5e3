"""A submission cannot read the answers, and cannot write into the project."""

import pytest

from lessons.core.catalogue import COURSE_DIR, find
from lessons.judge import judge
from lessons.playback.target import Target

SOLUTION = COURSE_DIR / "03_stop" / "solution.py"


def verdict_on(beginning):
    lesson = find("stop")
    source = beginning + "\n" + lesson.solution.read_text(encoding="utf-8")
    names = lesson.exercise_name, lesson.exercise_base
    return judge(lesson, Target("cheating", lesson.exercise, *names, source))


@pytest.mark.parametrize(
    "attempt",
    [
        f"open({str(SOLUTION)!r}).read()",
        f"import os; os.open({str(SOLUTION)!r}, os.O_RDONLY)",
        f"import pathlib; pathlib.Path({str(SOLUTION.with_name('check.py'))!r}).read_text()",
        f"open({str(SOLUTION.with_name('check.py'))!r}, 'a')",
        f"open({str(COURSE_DIR / 'new.py')!r}, 'w')",
        "import lessons.judge.claims",
        "import lessons.authoring.verify",
    ],
)
def test_an_attempt_is_refused_even_if_its_exception_is_caught(attempt):
    caught = f"try:\n    {attempt}\nexcept Exception:\n    pass"
    verdict = verdict_on(caught)
    assert not verdict.green
    assert {finding.diagnosis for finding in verdict.findings} == {"course-file-used"}
    assert verdict.findings[0].line == 2
    assert "may not use" in verdict.findings[0].detail
    assert not (COURSE_DIR / "new.py").exists()


def test_an_exception_that_is_not_caught_is_shown():
    [finding] = verdict_on(f"open({str(SOLUTION)!r})").findings
    assert finding.diagnosis == "import-error"
    assert "may not use lessons/course/03_stop/solution.py" in finding.detail


@pytest.mark.parametrize(
    "beginning",
    [
        "import json, tempfile\nfile = tempfile.TemporaryFile()",
        "import inspect\nopen(__file__ if False else '/dev/null').close()",
        "from django.conf import settings\nfrom db_demo.models import Entry",
    ],
)
def test_other_files_and_modules_may_be_used(beginning):
    assert verdict_on(beginning).green
