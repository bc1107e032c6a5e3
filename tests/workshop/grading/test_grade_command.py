"""`manage.py lesson grade`: thirty real submissions, judged in the sandbox, and what it refuses."""

import io
import json
import os
import re
import shutil
import zipfile
from collections import Counter
from importlib import metadata
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading import grading
from lessons.workshop.grading.class_report import SCHEMA
from lessons.workshop.grading.grading import Grading
from lessons.workshop.grading.sandbox import find_sandbox
from lessons.workshop.grading.submission_folder import open_submissions
from lessons.workshop.judge.study.mistakes import read_mistakes
from lessons.workshop.terminal import grade as grade_command
from tests.support.json_schema import problems
from tests.support.lesson_command import Terminal, lesson, refusal
from tests.support.submissions import WITHOUT_BUBBLEWRAP, bubblewrap

STOP = find("stop")
COUNT = 30
MISTAKES = [mistake.name for mistake in read_mistakes(STOP)]


def write_class(folder, count=COUNT):
    """The solution twice, then mistakes of the course. The expected diagnosis of each student."""
    folder.mkdir()
    source = STOP.mistakes.read_text()
    expected = {}
    for number in range(count):
        student, text = f"student{number:02}", STOP.solution.read_text()
        expected[student] = None
        if number >= 2:
            mistake = read_mistakes(STOP)[(number - 2) % len(MISTAKES)]
            text = f"{source}\n\nclass Guess({mistake.name}):\n    pass\n"
            expected[student] = mistake.diagnosis
        (folder / f"{student}_03_stop.py").write_text(f"{text}# {student}\n")
    return expected


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
    """Thirty submissions of one lesson, and what the command has printed and written."""
    folder = tmp_path_factory.mktemp("grade")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade_command, "state_dir", lambda: folder / "state")
        expected = write_class(folder / "class")
        printed = lesson("grade", str(folder / "class"))
        return SimpleNamespace(
            folder=folder, expected=expected, printed=printed, report=folder / "state/grades/class"
        )


def test_thirty_submissions_get_the_verdicts_of_lesson_check(graded):
    submissions = read_report(graded.report)["submissions"]
    assert {one["student"]: one["diagnosis"] for one in submissions} == graded.expected
    assert Counter(one["state"] for one in submissions) == {"green": 2, "red": COUNT - 2}


def test_the_printed_report_names_counts_students_and_cures_without_colour(graded):
    expected = Counter(name for name in graded.expected.values() if name)
    assert "30 submissions: 2 green, 28 red, 0 not judged" in graded.printed
    count = expected["no-stop-consumer"]
    title = "The consumer did not stop when its client had left"
    assert f"Lesson 3  {count} of 30: {title}" in graded.printed
    assert "Cure      End websocket_disconnect with raise StopConsumer()." in graded.printed
    assert "Steps     connect | close 1000" in graded.printed
    assert "\x1b" not in graded.printed
    lines = graded.printed.splitlines()
    assert max(len(line) for line in lines if "/state/grades/" not in line) <= 80


def test_the_files_agree(graded):
    schema = json.loads(SCHEMA.read_text())
    assert problems(read_report(graded.report), schema) == []
    suites = ElementTree.parse(graded.report / "junit.xml").getroot()
    red = [suite for suite in suites if suite.find(".//failure") is not None]
    assert (len(suites), len(red)) == (COUNT, COUNT - 2)
    assert len((graded.report / "report.csv").read_text().splitlines()) == COUNT + 1
    assert len([*graded.report.glob("autograder/*/results.json")]) == COUNT
    page = (graded.report / "report.html").read_text()
    assert len(re.findall(r'<th scope="row"', page)) == COUNT


def test_a_verdict_is_kept_until_the_file_changes(graded, tmp_path, state):
    shutil.copytree(graded.folder / "class", tmp_path / "class")
    shutil.copytree(graded.folder / "state", state)
    for file in kept(state):
        data = json.loads(file.read_text())
        data["verdict"]["seconds"] = 77.0  # no submission takes so long
        file.write_text(json.dumps(data))
    (tmp_path / "class" / "student05_03_stop.py").write_text("import nothing\n")
    lesson("grade", str(tmp_path / "class"))
    found = read_report(state / "grades" / "class")["submissions"]
    seconds = {one["student"]: one["seconds"] for one in found}
    assert seconds.pop("student05") < 77
    assert {*seconds.values()} == {77.0}


def test_a_verdict_is_kept_until_the_course_changes(tmp_path, state, monkeypatch):
    write_class(tmp_path / "class", count=1)
    for version in ("one", "one", "two"):
        monkeypatch.setattr(grading, "course_version", lambda version=version: version)
        lesson("grade", str(tmp_path / "class"))
    assert len(kept(state)) == 2


def test_a_verdict_is_kept_for_one_kind_of_sandbox(tmp_path, state):
    write_class(tmp_path / "class", count=1)
    with open_submissions(tmp_path / "class") as found:
        for sandbox in (bubblewrap(), WITHOUT_BUBBLEWRAP, bubblewrap()):
            with Grading(found.submissions, sandbox, state / "verdicts") as graded:
                assert [one.is_judged for one in graded] == [True]
    assert len(kept(state)) == 2


# Hypothesis draws conversations and shrinks them, and time-machine replaces the clock.
@pytest.mark.parametrize(
    "package", ["django", "channels", "asgiref", "hypothesis", "msgpack", "time-machine"]
)
def test_the_version_of_the_course_depends_on_each_package_of_a_verdict(monkeypatch, package):
    course_version = grading.course_version.__wrapped__  # without its cache
    before = course_version()
    monkeypatch.setattr(
        grading, "version", lambda it: "0" if it == package else metadata.version(it)
    )
    assert course_version() != before


def test_files_with_the_same_bytes_are_judged_once_and_each_keeps_its_name(tmp_path, state):
    folder = tmp_path / "class"
    folder.mkdir()
    for student in ("ada", "ben"):
        shutil.copy(STOP.original, folder / f"{student}_03_stop.py")
    (folder / "cleo_03_stop.py").write_bytes(STOP.original.read_bytes() + b"\n")
    printed = lesson("grade", str(folder))
    assert len(kept(state)) == 2
    found = {one["student"]: one for one in read_report(state / "grades/class")["submissions"]}
    assert {student: one["same_file_as"] for student, one in found.items()} == {
        "ada": None,
        "ben": "ada_03_stop.py",
        "cleo": None,
    }
    assert {one["diagnosis"] for one in found.values()} == {found["ada"]["diagnosis"]}
    assert "1 with the same bytes as another: judged once" in printed
    page = (state / "grades/class/report.html").read_text()
    assert "ben_03_stop.py, same file as ada_03_stop.py" in page


def test_nothing_is_lost_if_the_run_ends_early(tmp_path, state, monkeypatch):
    # Each process also fetches submissions in advance: three processes would have begun all eight.
    monkeypatch.setattr(grading, "cores", lambda: 1)
    write_class(tmp_path / "class", count=8)
    sandbox = find_sandbox()
    with open_submissions(tmp_path / "class") as found:
        with Grading(found.submissions, sandbox, state / "verdicts") as graded:
            next(iter(graded))
        first = kept(state)
        assert 1 <= len(first) < 8
        with Grading(found.submissions, sandbox, state / "verdicts") as graded:
            students = sorted(one.submission.student for one in graded)
    assert students == [f"student{number:02}" for number in range(8)]
    assert set(first) < set(kept(state))
    assert len(kept(state)) == 8


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
    [skipped, _] = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot().iter("skipped")
    assert skipped.get("message").startswith("too large")
    assert kept(state) == []


def test_a_zip_file_of_several_lessons_is_a_table_that_fits_80_columns(
    tmp_path, state, monkeypatch
):
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as opened:
        for name in ("accept", "frames", "stop"):
            one = find(name)
            opened.writestr(f"ada/work/{one.folder.name}.py", one.solution.read_text())
        opened.writestr("ben/work/03_stop.py", STOP.original.read_text())
    monkeypatch.setenv("COLUMNS", "80")
    lines = lesson("grade", str(tmp_path / "class.zip"), to=Terminal()).splitlines()
    rows = [re.sub(r"\x1b\[[\d;]*[mK]", "", line).split() for line in lines]
    assert ["Student", "1", "2", "3"] in rows
    assert [row for row in rows if row[:1] in (["ada"], ["ben"])] == [
        ["ada", "✓", "7/7", "✓", "9/9", "✓", "7/7"],
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
    assert (tmp_path / "out" / "results.json").is_file()


def test_a_lesson_that_is_named_twice_is_judged_once(tmp_path, state):
    write_class(tmp_path / "class", count=1)
    once = lesson("grade", str(tmp_path / "class"), "3")
    assert lesson("grade", str(tmp_path / "class"), "3", "stop") == once


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
