"""`manage.py lesson grade`: real submissions, judged in the sandbox, and what it refuses."""

import csv
import re
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.terminal import grade as grade_command
from tests.support.lesson_command import lesson, refusal

STOP = find("stop")
MISTAKES = read_mistakes(STOP)[:2]
TEXTS = {
    "ada": STOP.solution.read_text(),
    **{
        name: f"{STOP.mistakes.read_text()}\n\nclass Guess({it.name}):\n    pass\n"
        for name, it in zip(("ben", "cleo"), MISTAKES, strict=True)
    },
    "dan": STOP.original.read_text().replace("\n", "\r\n"),
}


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The folder of the reports."""
    monkeypatch.setattr(grade_command, "state_dir", lambda: tmp_path / "state")


def rows_of(folder):
    with open(folder / "report.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A small class, and what the command has printed and written."""
    folder = tmp_path_factory.mktemp("grade")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade_command, "state_dir", lambda: folder / "state")
        (folder / "class").mkdir()
        for name, text in TEXTS.items():
            (folder / "class" / f"{name}_03_stop.py").write_text(text)
        printed = lesson("grade", str(folder / "class"))
        yield SimpleNamespace(printed=printed, report=folder / "state/grades/class")


def test_submissions_get_the_verdicts_of_lesson_check_and_the_exercise_is_unchanged(graded):
    found = [(row["student"], row["state"], row["diagnosis"]) for row in rows_of(graded.report)]
    assert found == [
        ("ada", "green", ""),
        ("ben", "red", MISTAKES[0].diagnosis),
        ("cleo", "red", MISTAKES[1].diagnosis),
        ("dan", "unchanged", ""),
    ]


def test_prints_counts_and_mistakes_without_colour_in_80_columns(graded):
    assert "Submissions: 4 (1 green, 2 red, 1 unchanged, 0 not judged)" in graded.printed
    assert re.search(r"   3  \d of 3: \w.* \(ben\W", graded.printed, re.DOTALL)
    assert "\x1b" not in graded.printed
    lines = graded.printed.splitlines()
    assert max(len(line) for line in lines if "/state/grades/" not in line) <= 80


def test_what_could_not_be_read_is_neither_red_nor_green_and_ends_with_1(tmp_path, state):
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "dan_03_stop.py").write_text(TEXTS["dan"])
    (tmp_path / "class" / "eve_03_stop.py").write_text("#" * 2_000_000)
    (tmp_path / "class" / "helper.py").write_text("x = 1")
    printed = lesson("grade", str(tmp_path / "class"), "--output", str(tmp_path / "out"), code=1)
    assert "Submissions: 1 (0 green, 0 red, 1 unchanged, 0 not judged)" in printed
    assert "eve_03_stop.py: larger than 1 MiB" in printed
    assert "helper.py: names no lesson" in printed
    assert [row["state"] for row in rows_of(tmp_path / "out")] == [
        *("unchanged", "left out", "left out")
    ]


def test_wrong_usage_ends_with_2(tmp_path, state):
    (tmp_path / "class").mkdir()
    folder = str(tmp_path / "class")
    assert refusal("grade", f"{folder}/missing").startswith("There is no folder and no zip file")
    assert refusal("grade", folder) == "class holds no submission."
    assert refusal("grade", folder, "3") == "class holds no submission for lesson 3 stop."
    (tmp_path / "class" / "notes.txt").write_text("")
    assert refusal("grade", folder).endswith("holds no submission. notes.txt: not a Python file.")
    assert refusal("grade", folder, "--output", f"{folder}/out").endswith("--output FOLDER")
    assert refusal("grade", folder, "99").startswith("There is no lesson '99'")
    with pytest.raises(CommandError):
        call_command("lesson", "grade")
