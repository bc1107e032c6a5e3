"""`lesson verify`: the faults that it finds in a whole lesson, and in a broken one."""

import re
import shutil

import pytest

from lessons.workshop.authoring import verify
from lessons.workshop.authoring.verify import verify_lesson
from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.diagnoses import recognise
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.process.target import UnknownTarget, resolve

RESULTS = {}


def cached(ask):
    """`ask` with a cache: each test breaks one file, so the results for the others stay the same.

    Each result costs a child process.
    """

    def answer(lesson, target, *args):
        try:
            digest = resolve(lesson, target).digest()
        except UnknownTarget:  # a worked example, which no test changes
            digest = ""
        key = (ask, target.removeprefix(str(lesson.folder)), digest, repr(args))
        if key not in RESULTS:
            RESULTS[key] = ask(lesson, target, *args)
        return RESULTS[key]

    return answer


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of lesson 3, with two of its mistakes, that a test may break."""
    for name in ("judge", "play"):
        monkeypatch.setattr(verify, name, cached(getattr(verify, name)))
    folder = tmp_path / "03_stop"
    shutil.copytree(lesson_index.find("stop").folder, folder)
    lesson = Lesson(folder)
    lesson.mistakes.write_text(_with_two_mistakes(lesson.mistakes.read_text()))
    teach_page = re.sub(
        r"^- `\w+`", "- `StopsWithoutAClose`", lesson.teach_page.read_text(), flags=re.M
    )
    lesson.teach_page.write_text(teach_page)
    return lesson


def _with_two_mistakes(text):
    first = text.index("class DoesNotRaise")
    second = text.index("class StopsWithoutAClose")
    return text[:first] + text[second : text.index("class StopsAtTheHandshake")]


def faults_of(lesson):
    return verify_lesson(lesson).faults


def replace_in(file, old, new):
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def test_a_right_lesson_has_no_fault(copy):
    report = verify_lesson(copy)
    assert (report.faults, report.mistakes) == ([], 2)


def test_a_green_exercise_is_a_fault(copy):
    copy.original.write_text("# TODO\n" + copy.solution.read_text())
    assert "the exercise is green before anything is changed" in faults_of(copy)


def test_a_red_solution_is_a_fault(copy):
    text = copy.solution.read_text()
    copy.solution.write_text(text.replace("raise StopConsumer", "return StopConsumer"))
    assert any("the solution is red" in fault for fault in faults_of(copy))


def test_a_mistake_with_another_diagnosis_is_a_fault(copy):
    replace_in(copy.mistakes, 'diagnosis = "zombie"', 'diagnosis = "no-accept"')
    assert any("instead of no-accept" in fault for fault in faults_of(copy))


def test_a_mistake_with_an_unknown_diagnosis_is_a_fault(copy):
    replace_in(copy.mistakes, 'diagnosis = "zombie"', 'diagnosis = "unheard-of"')
    assert any("diagnosis that does not exist: unheard-of" in one for one in faults_of(copy))


@pytest.mark.parametrize("name", lesson_index.FILES)
def test_a_missing_file_is_a_fault(copy, name):
    copy.path_to(name).unlink()
    assert any(name in fault for fault in faults_of(copy))


def test_a_transcript_that_differs_from_the_recording_is_a_fault(copy):
    replace_in(copy.path_to("lesson.md"), "→ websocket.connect", "→ websocket.conect")
    assert any("differs from what is recorded" in fault for fault in faults_of(copy))


@pytest.mark.parametrize("entry", diagnoses().values(), ids=lambda entry: entry.id)
def test_a_diagnosis_has_title_symptom_cause_and_cure_in_whole_sentences(entry):
    assert entry.title
    assert not entry.title.endswith(".")
    for text in (entry.symptom, entry.cause, entry.cure):
        assert text.strip() == text
        assert text.endswith((".", ")", "`"))


@pytest.mark.parametrize(
    ("error", "diagnosis"),
    [
        (ValueError("No handler for message type websocket.disconnect"), "no-disconnect-handler"),
        (ValueError("No handler for message type chat.message"), "no-handler"),
        (KeyError("text"), "text-on-binary"),
        (ValueError("No route found for path 'ws/chat/'."), "no-route"),
        (RuntimeError("Event loop is closed"), "loop-closed"),
        (KeyError("colour"), "exception"),
        (RecursionError("maximum recursion depth exceeded"), "recursion"),
        # The words of Python up to 3.13, and those of 3.14.
        (
            TypeError("object NoneType can't be used in 'await' expression"),
            "def-handler-in-async-consumer",
        ),
        (TypeError("'NoneType' object can't be awaited"), "def-handler-in-async-consumer"),
        (TypeError("object SyncToAsync can't be used in 'await' expression"), "not-called"),
        (TypeError("'DatabaseSyncToAsync' object can't be awaited"), "not-called"),
        (
            RecursionError("maximum recursion depth exceeded while decoding a JSON array"),
            "nested-too-deep",
        ),
        (
            RecursionError("Stack overflow (used 8156 kB) while decoding a JSON array"),
            "nested-too-deep",
        ),
        (SystemExit(1), "calls-exit"),
    ],
)
def test_an_exception_is_recognised_by_its_message(error, diagnosis):
    assert recognise(error) == diagnosis


def test_a_plan_that_does_not_add_up_is_a_fault(copy):
    replace_in(copy.path_to("lesson.md"), f"minutes: {copy.minutes}", "minutes: 99")
    [fault] = faults_of(Lesson(copy.folder))
    assert fault == f"the plan in teach.md takes {copy.minutes} minutes, the lesson 99"


def test_a_need_that_comes_later_is_a_fault(copy):
    replace_in(copy.path_to("lesson.md"), "needs: frames", "needs: chat")
    assert faults_of(Lesson(copy.folder)) == ["`needs:` names lessons that are not earlier: chat"]


def test_a_teach_page_without_a_section_is_a_fault(copy):
    replace_in(copy.teach_page, "## Ask", "## Talk")
    assert any("teach.md has the sections" in fault for fault in faults_of(copy))


def test_a_teach_page_with_an_unknown_mistake_is_a_fault(copy):
    replace_in(copy.teach_page, "- `StopsWithoutAClose`", "- `NoSuchMistake`")
    assert "teach.md names unknown mistakes: NoSuchMistake" in faults_of(copy)


def test_a_lesson_without_a_goal_is_a_fault(copy):
    replace_in(copy.path_to("lesson.md"), "goal:", "aim:")
    assert any(
        "the front matter lacks `goal:`" in fault for fault in faults_of(Lesson(copy.folder))
    )
