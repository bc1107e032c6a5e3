"""`manage.py test --lesson N`: what it names, and when it is red."""

from io import StringIO

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.terminal.lesson_tests import _start_proofs, run_lesson_tests
from lessons.workshop.terminal.proof_lines import ProofLine, read_lines

RED_PROOF = '{"claim": "Opens", "state": "red", "reason": "assert 1 == 2"}\n'
GREEN_PROOF = '{"claim": "Opens", "state": "green", "reason": ""}\n'


@pytest.fixture
def proofs(monkeypatch):
    """Let the proofs print this, without a process."""

    class Proofs:
        text = GREEN_PROOF

        def communicate(self):
            return self.text, None

    monkeypatch.setattr(
        "lessons.workshop.terminal.lesson_tests._start_proofs", lambda lesson: Proofs()
    )
    return Proofs


def run(lesson, target=None):
    file = StringIO()
    return run_lesson_tests(lesson, target, file), file.getvalue()


def test_without_a_students_file_it_tests_the_solution(proofs, fresh_course):
    code, shown = run("lamp")
    assert code == 0
    assert "Proofs of the demo sync_demo.consumers.Echo" in shown
    assert "Claims about the solution" in shown
    assert [line.strip() for line in shown.splitlines() if "✓" in line] == [
        "✓ Opens",
        "✓ repeats text",
        '✓ closes on "bye"',
    ]


def test_tests_the_students_file_and_says_that_it_is_unedited(proofs, course):
    code, shown = run("lamp")
    assert code == 1
    assert "Claims about the student's file" in shown
    assert "python3 manage.py test --lesson 1 --target solution" in shown


def test_a_red_proof_is_red_and_shows_its_reason(proofs, fresh_course):
    proofs.text = RED_PROOF
    code, shown = run("lamp")
    assert code == 1
    assert "✗ Opens\n\nWhy the first red proof is red: Opens\n  assert 1 == 2\n" in shown
    assert shown.endswith("red    1 of the demo's proofs: see above\n")


def test_without_a_proof_it_is_red(proofs, fresh_course):
    proofs.text = ""
    assert run("lamp")[0] == 1


def test_plays_the_generated_conversations(proofs, tmp_path):
    lesson = find("stop")
    text = lesson.solution.read_text("utf-8")
    wrong = text.replace('event.get("text") == ', '(event.get("text") or "").strip() == ')
    assert wrong != text
    file = tmp_path / "stop.py"
    file.write_text(wrong, "utf-8")
    code, shown = run("stop", str(file))
    assert code == 1
    assert "✗ Whatever clients send, and whenever, the consumer does what the task says." in shown


def test_a_line_holds_the_outcome_of_a_function():
    assert read_lines(GREEN_PROOF) == [ProofLine("Opens", "green")]


@pytest.mark.parametrize("slug", ["stop", "logout"])  # without and with a database
def test_runs_the_proofs_of_a_lesson(slug):
    lesson = find(slug)
    lines = read_lines(_start_proofs(lesson).communicate()[0])
    assert {line.state for line in lines} == {"green"}
    assert len(lines) == lesson.tests.read_text("utf-8").count("def test_")
