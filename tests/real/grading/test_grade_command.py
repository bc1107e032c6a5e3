"""`manage.py lesson grade`: real submissions, judged in the sandbox, and what it refuses."""

import io
import json
import os
import re
import shutil
import zipfile
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.grading import grading
from lessons.workshop.grading.grading import Grading
from lessons.workshop.grading.submission_folder import open_submissions
from lessons.workshop.terminal import grade as grade_command
from tests.support.lesson_command import Terminal, lesson, refusal
from tests.support.submissions import WITHOUT_BUBBLEWRAP, bubblewrap

STOP = find("stop")
MISTAKES = read_mistakes(STOP)[:2]
COUNT = 4


def write_class(folder, count=COUNT):
    """The solution, two mistakes, and a second file with the bytes of the first mistake."""
    folder.mkdir()
    texts = [
        STOP.solution.read_text(),
        *(f"{STOP.mistakes.read_text()}\n\nclass Guess({it.name}):\n    pass\n" for it in MISTAKES),
    ]
    for number, text in enumerate([*texts, texts[1]][:count]):
        (folder / f"student{number}_03_stop.py").write_text(text)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The folder of the kept verdicts and of the reports."""
    folder = tmp_path / "state"
    monkeypatch.setattr(grade_command, "state_dir", lambda: folder)
    return folder


def kept(state):
    return sorted((state / "verdicts").glob("*.json"))


def read_report(folder):
    return json.loads((folder / "report.json").read_text())


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A small class, and what the command has printed and written."""
    folder = tmp_path_factory.mktemp("grade")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade_command, "state_dir", lambda: folder / "state")
        write_class(folder / "class")
        printed = lesson("grade", str(folder / "class"))
        report = folder / "state/grades/class"
        yield SimpleNamespace(folder=folder, printed=printed, report=report)


def test_submissions_get_the_verdicts_of_lesson_check_and_equal_files_one(graded):
    found = [
        (one["student"], one["state"], one["diagnosis"], one["same_file_as"])
        for one in read_report(graded.report)["submissions"]
    ]
    first, second = (mistake.diagnosis for mistake in MISTAKES)
    assert found == [
        ("student0", "green", None, None),
        ("student1", "red", first, None),
        ("student2", "red", second, None),
        ("student3", "red", first, "student1_03_stop.py"),
    ]
    assert len(kept(graded.folder / "state")) == COUNT - 1


def test_prints_counts_students_and_cures_without_colour_in_80_columns(graded):
    assert "4 submissions: 1 green, 3 red, 0 not judged" in graded.printed
    assert "1 with the same bytes as another: judged once" in graded.printed
    assert "Cure      " in graded.printed
    assert "\x1b" not in graded.printed
    lines = graded.printed.splitlines()
    assert max(len(line) for line in lines if "/state/grades/" not in line) <= 80


def test_writes_a_file_for_each_reader_and_they_agree(graded):
    assert len((graded.report / "report.csv").read_text().splitlines()) == COUNT + 1
    page = (graded.report / "report.html").read_text()
    assert len(re.findall(r'<th scope="row"', page)) == COUNT


def test_a_verdict_is_kept_until_the_file_the_course_or_the_sandbox_changes(
    graded, state, tmp_path, monkeypatch
):
    submissions = tmp_path / "class"
    shutil.copytree(graded.folder / "class", submissions)
    shutil.copytree(graded.folder / "state", state)
    for file in kept(state):
        data = json.loads(file.read_text())
        data["verdict"]["seconds"] = 77.0  # no submission takes so long
        file.write_text(json.dumps(data))
    (submissions / "student2_03_stop.py").write_text("import nothing\n")
    lesson("grade", str(submissions))
    seconds = {
        one["student"]: one["seconds"] for one in read_report(state / "grades/class")["submissions"]
    }
    assert seconds.pop("student2") < 77
    assert {*seconds.values()} == {77.0}
    count = len(kept(state))
    with open_submissions(submissions) as found:
        one = [it for it in found.submissions if it.student == "student2"]
        with Grading(one, WITHOUT_BUBBLEWRAP, state / "verdicts") as judged:
            assert [it.is_judged for it in judged] == [True]
        monkeypatch.setattr(grading, "course_version", lambda: "another")
        with Grading(one, bubblewrap(), state / "verdicts") as judged:
            assert [it.is_judged for it in judged] == [True]
    assert len(kept(state)) == count + 2


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path, state, monkeypatch):
    write_class(tmp_path / "class", count=2)

    class Interrupted(Grading):
        def __iter__(self):
            yield next(super().__iter__())
            raise KeyboardInterrupt

    monkeypatch.setattr(grade_command, "Grading", Interrupted)
    printed = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("lesson", "grade", str(tmp_path / "class"), stdout=printed)
    assert ended.value.code == 130
    count = len(kept(state))  # the other one may have been in progress
    assert (
        f"{count} of 2 are judged and kept. Run the command again to go on." in printed.getvalue()
    )
    assert not (state / "grades").exists()


def killed_judge(*_):
    os._exit(9)


def test_a_killed_judge_is_reported_with_what_to_do(tmp_path, state, monkeypatch):
    write_class(tmp_path / "class", count=1)
    monkeypatch.setattr(grading, "_grade", killed_judge)
    with pytest.raises(CommandError, match="Run the command again to go on") as ended:
        lesson("grade", str(tmp_path / "class"))
    assert ended.value.returncode == 1


def test_what_could_not_be_judged_is_neither_red_nor_green_and_ends_with_1(tmp_path, state):
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "eve_03_stop.py").write_text("#" * 2_000_000)
    (tmp_path / "class" / "helper.py").write_text("x = 1")
    printed = lesson("grade", str(tmp_path / "class"), "--output", str(tmp_path / "out"), code=1)
    assert "1 submissions: 0 green, 0 red, 1 not judged" in printed
    assert "eve_03_stop.py: too large" in printed
    assert "helper.py: names no lesson and defines no exercise" in printed
    [eve] = read_report(tmp_path / "out")["submissions"]
    assert eve["message"].startswith("too large")
    assert kept(state) == []


def test_a_zip_file_of_several_lessons_is_a_table_that_fits_80_columns(
    tmp_path, state, monkeypatch
):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as opened:
        for name in ("accept", "frames", "stop"):
            opened.writestr(f"ada/work/{find(name).folder.name}.py", "import nothing")
        opened.writestr("ben/work/03_stop.py", STOP.original.read_text())
    monkeypatch.setenv("COLUMNS", "80")
    lines = lesson("grade", str(tmp_path / "class.zip"), to=Terminal()).splitlines()
    rows = [re.sub(r"\x1b\[[\d;]*[mK]", "", line).split() for line in lines]
    assert ["Student", "1", "2", "3"] in rows
    assert [row for row in rows if row[:1] in (["ada"], ["ben"])] == [
        ["ada", "✗", "✗", "✗"],
        ["ben", "✗", "0/7"],
    ]


def test_only_the_lessons_that_are_asked_for_are_judged(tmp_path, state):
    folder = tmp_path / "ada"
    folder.mkdir()
    for name in ("frames", "stop"):
        (folder / f"{find(name).folder.name}.py").write_text("class Guess(")
    printed = lesson("grade", str(folder), "stop", "--output", str(tmp_path / "out"))
    assert "02_frames.py: for lesson 2 frames, which was not asked for" in printed
    assert [one["lesson"] for one in read_report(tmp_path / "out")["lessons"]] == ["03-stop"]


def test_wrong_usage_ends_with_2(tmp_path, state):
    (tmp_path / "class").mkdir()
    folder = str(tmp_path / "class")
    assert refusal("grade", f"{folder}/missing").startswith("There is no folder and no zip file")
    assert refusal("grade", folder) == "class holds no submission."
    (tmp_path / "class" / "notes.txt").write_text("")
    assert refusal("grade", folder).endswith("holds no submission. notes.txt: not a Python file.")
    assert refusal("grade", folder, "--output", f"{folder}/out").endswith("--output FOLDER")
    assert refusal("grade", folder, "99").startswith("There is no lesson '99'")
    with pytest.raises(CommandError):
        call_command("lesson", "grade")
