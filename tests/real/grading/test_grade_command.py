"""`manage.py lesson grade`: real submissions, judged in the sandbox, and what it refuses."""

import csv
import re
from types import SimpleNamespace

import pytest

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
def folder(tmp_path, monkeypatch):
    """The folder of a class that has handed in nothing. The reports are beside it."""
    monkeypatch.setattr(grade_command, "state_dir", lambda: tmp_path / "state")
    (tmp_path / "class").mkdir()
    return tmp_path / "class"


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
    with open(graded.report / "report.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student"], row["state"], row["diagnosis"]) for row in rows] == [
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


def test_a_class_with_a_file_that_was_left_out_ends_with_1(folder, tmp_path):
    (folder / "dan_03_stop.py").write_text(TEXTS["dan"])
    (folder / "helper.py").write_text("x = 1")
    printed = lesson("grade", str(folder), "--output", str(tmp_path / "out"), code=1)
    assert "Submissions: 1 (0 green, 0 red, 1 unchanged, 0 not judged)" in printed
    assert "helper.py: names no lesson" in printed
    assert (tmp_path / "out" / "report.csv").exists()


def test_wrong_usage_ends_with_2(folder):
    path = str(folder)
    assert refusal("grade", f"{path}/missing").startswith("There is no folder and no zip file")
    assert refusal("grade", path) == "class holds no submission."
    assert refusal("grade", path, "3") == "class holds no submission for lesson 3 stop."
    (folder / "notes.txt").write_text("")
    assert refusal("grade", path).endswith("holds no submission. notes.txt: not a Python file.")
    assert refusal("grade", path, "--output", f"{path}/out").endswith("--output FOLDER")
    assert refusal("grade", path, "99").startswith("There is no lesson '99'")
