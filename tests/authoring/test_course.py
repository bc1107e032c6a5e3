"""The course proves itself: what verify finds in a whole lesson, and in a broken one."""

import shutil

import pytest

from lessons.authoring import verify, verify_predictions
from lessons.authoring.verify import prove
from lessons.core import catalogue
from lessons.core.catalogue import Lesson
from lessons.core.diagnoses import catalogue as diagnoses
from lessons.core.diagnoses import recognise
from lessons.playback.target import UnknownTarget, resolve

ANSWERS = {}


def once(ask):
    """Each test breaks one file: what comes of the others was found out, in a process each."""

    def answer(lesson, target, *args):
        try:
            judged = resolve(lesson, target).digest()
        except UnknownTarget:  # a worked example, which none of them touches
            judged = ""
        key = (ask, target.removeprefix(str(lesson.folder)), judged, repr(args))
        if key not in ANSWERS:
            ANSWERS[key] = ask(lesson, target, *args)
        return ANSWERS[key]

    return answer


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of lesson 3, with two of its mistakes, that a test may break."""
    for module, name in ((verify, "judge"), (verify, "play"), (verify_predictions, "play")):
        monkeypatch.setattr(module, name, once(getattr(module, name)))
    folder = tmp_path / "03_stop"
    shutil.copytree(catalogue.find("stop").folder, folder)
    lesson = Lesson(folder)
    lesson.mistakes.write_text(_with_two_mistakes(lesson.mistakes.read_text()))
    return lesson


def _with_two_mistakes(text):
    first = text.index("class DoesNotRaise")
    second = text.index("class StopsWithoutAClose")
    return text[:first] + text[second : text.index("class StopsAtTheHandshake")]


def test_a_lesson_without_a_fault_is_proven(copy):
    proof = prove(copy)
    assert (proof.faults, proof.mistakes) == ([], 2)


def test_a_green_exercise_is_a_fault(copy):
    copy.original.write_text("# TODO\n" + copy.solution.read_text())

    assert "the exercise is green as it stands" in prove(copy).faults


def test_a_red_solution_is_a_fault(copy):
    text = copy.solution.read_text()
    copy.solution.write_text(text.replace("raise StopConsumer", "return StopConsumer"))

    assert any("the solution is red" in fault for fault in prove(copy).faults)


def test_a_mistake_with_another_diagnosis_is_a_fault(copy):
    text = copy.mistakes.read_text()
    copy.mistakes.write_text(text.replace('diagnosis = "zombie"', 'diagnosis = "no-accept"'))

    assert any("in place of no-accept" in fault for fault in prove(copy).faults)


def test_a_mistake_with_an_unknown_diagnosis_is_a_fault(copy):
    text = copy.mistakes.read_text()
    copy.mistakes.write_text(text.replace('diagnosis = "zombie"', 'diagnosis = "zombies"'))

    assert any("a diagnosis that there is not: zombies" in fault for fault in prove(copy).faults)


@pytest.mark.parametrize("name", catalogue.FILES)
def test_a_missing_file_is_a_fault(copy, name):
    copy.path_to(name).unlink()

    assert any(name in fault for fault in prove(copy).faults)


def test_a_transcript_that_is_not_what_crosses_is_a_fault(copy):
    file = copy.path_to("lesson.md")
    file.write_text(file.read_text().replace("→ websocket.connect", "→ websocket.conect", 1))

    assert any("not what crosses" in fault for fault in prove(copy).faults)


@pytest.mark.parametrize("entry", diagnoses().values(), ids=lambda entry: entry.id)
def test_a_diagnosis_says_title_symptom_cause_and_cure_in_whole_sentences(entry):
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
        (KeyError("colour"), "exception"),
        (RecursionError("maximum recursion depth exceeded"), "recursion"),
        (SystemExit(1), "calls-exit"),
    ],
)
def test_an_exception_is_recognised_by_its_words(error, diagnosis):
    assert recognise(error) == diagnosis
