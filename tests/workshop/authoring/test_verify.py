"""`lesson verify`: the faults that it finds in a whole lesson, in a broken one, in submissions."""

import re
import shutil

import pytest

from lessons.workshop.authoring import submissions, verify
from lessons.workshop.authoring.verify import verify_lesson, verify_submissions
from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from tests.support.courses import ACCEPT, LAMP
from tests.support.lesson_command import refusal

RESULTS = {}


def cached(judge, events_of):
    """Both with a cache: each test breaks one file, and each result costs a child process."""

    def judge_once(lesson, target, *arguments, **options):
        digest = resolve(lesson, target).digest()
        key = (target.removeprefix(str(lesson.folder)), digest, repr(arguments))
        if key not in RESULTS:
            RESULTS[key] = judge(lesson, target, *arguments, **options)
        return RESULTS[key]

    def events_once(subject, steps):
        key = (subject.name, subject.digest(), repr(steps))
        if key not in RESULTS:
            RESULTS[key] = events_of(subject, steps)
        return RESULTS[key]

    return {"judge": judge_once, "events_of": events_once}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of lesson 3, with two of its mistakes, that a test may break."""
    for name, function in cached(verify.judge, verify.events_of).items():
        monkeypatch.setattr(verify, name, function)
    lesson = Lesson(tmp_path / "03_stop")
    shutil.copytree(lesson_index.find("stop").folder, lesson.folder)
    text = lesson.mistakes.read_text()
    names = ("DoesNotRaise", "StopsWithoutAClose", "StopsAtTheHandshake")
    first, second, end = (text.index(f"class {name}") for name in names)
    lesson.mistakes.write_text(text[:first] + text[second:end])
    page = lesson.teach_page.read_text()
    lesson.teach_page.write_text(re.sub(r"(?m)^- `\w+`", "- `StopsWithoutAClose`", page))
    return lesson


def test_a_right_lesson_has_no_fault(copy):
    report = verify_lesson(copy)
    assert (report.faults, report.counts) == ([], {"mistakes": 2})


@pytest.mark.parametrize("name", lesson_index.FILES)
def test_a_missing_file_is_a_fault(copy, name):
    copy.path_to(name).unlink()
    assert any(name in fault for fault in verify_lesson(copy).faults)


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("exercise.py", None, None, "the exercise is green before anything is changed"),
        ("exercise.py", '"""Lesson 3', '"""Lesson 3' + " x" * 150, "docstring of exercise.py has "),
        ("solution.py", "raise StopConsumer", "return StopConsumer", "the solution is red"),
        (
            "solution.py",
            "\n\nclass",
            "\nimport re" * 26 + "\n\nclass",
            "new lines; write at most 25",
        ),
        ("mistakes.py", '= "zombie"', '= "no-accept"', "instead of no-accept"),
        ("mistakes.py", '= "zombie"', '= "unheard-of"', "does not exist: unheard-of"),
        ("lesson.md", "→ websocket.connect", "→ websocket.conect", "differs from what is recorded"),
        ("lesson.md", "minutes: ", "minutes: 9", "the plan in teach.md takes "),
        ("lesson.md", "needs: frames", "needs: chat", "lessons that are not earlier: chat"),
        ("lesson.md", "goal:", "aim:", "the front matter lacks `goal:`"),
        ("lesson.md", "\n\nBen leaves", "\n\n## Ben leaves", "lesson.md begins with a heading"),
        ("lesson.md", "## Where it bites\n", "## Where it bites\n- x\n", "lesson.md has 4 bites"),
        ("lesson.md", "## Do it", "## Do", "lesson.md ends with the sections"),
        ("teach.md", "## Ask", "## Talk", "teach.md has the sections"),
        ("teach.md", "- `StopsWithoutAClose`", "- `Nix`", "teach.md names unknown mistakes: Nix"),
    ],
)
def test_a_broken_part_is_a_fault(copy, name, old, new, fault):
    file = copy.path_to(name)
    text = file.read_text() if old else f"# TODO\n{copy.solution.read_text()}"
    assert old is None or old in text
    file.write_text(text.replace(old, new, 1) if old else text)
    assert any(fault in found for found in verify_lesson(Lesson(copy.folder)).faults)


def test_each_diagnosis_has_a_title_and_whole_sentences():
    for entry in catalogue().values():
        assert entry.title, entry.id
        assert not entry.title.endswith("."), entry.id
        for text in (entry.symptom, entry.cause, entry.cure):
            assert text.strip() == text, entry.id
            assert text.endswith((".", ")", "`")), entry.id


TABLE = """
base = '''{lamp}'''
[right]
"renames the event" = [["websocket_connect(self, event)", "websocket_connect(self, message)"]]
"does not close" = [['{{"type": "websocket.close"}}', "{{}}"]]
[wrong]
"does not stop" = [["raise StopConsumer", "pass"]]
"accepts twice" = [["{accept}", "{accept}; {accept}"]]
"renames another event" = [["websocket_receive(self, event)", "websocket_receive(self, event=0)"]]
[diagnosis]
"does not stop" = "no-stop-consumer"
"accepts twice" = "no-accept"
"""


def test_each_submission_with_another_verdict_than_written_is_a_fault(course):
    assert "tests/submissions is missing" in refusal("verify", "--submissions")
    submissions.folder().mkdir(parents=True)
    assert verify_submissions(course[0]).faults == ["tests/submissions/01_lamp.toml is missing"]
    accept = ACCEPT.replace('"', '\\"')
    file = submissions.folder() / "01_lamp.toml"
    file.write_text(TABLE.format(lamp=LAMP, accept=accept))
    report = verify_submissions(course[0])
    assert report.counts == {"submissions": 6}
    red, other, green = report.faults
    assert red.startswith("does not close is right and red:\n")
    assert re.fullmatch("accepts twice gets [a-z-]+, not no-accept", other)
    assert green == "renames another event is wrong and green"

    file.write_text("base = 'x'\n[wrong]\na = [['y', 'z']]\n")
    assert verify_submissions(course[0]).faults == ["01_lamp.toml: a: 'y' occurs 0 times"]
