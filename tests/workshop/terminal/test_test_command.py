"""`manage.py test`: what it runs and refuses. With `--lesson`: what it names, and what is red."""

import os
from contextlib import nullcontext
from io import StringIO

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.management.commands import test
from lessons.workshop.terminal.lesson_tests import read_proofs, run_lesson_tests, start_proofs


@pytest.fixture
def proofs(monkeypatch):
    """Let pytest report these, without a process."""
    reported = [(Outcome("test_opens", "Opens", "green"), "")]
    module = "lessons.workshop.terminal.lesson_tests"
    monkeypatch.setattr(f"{module}.start_proofs", lambda lesson, report: nullcontext())
    monkeypatch.setattr(f"{module}.read_proofs", lambda report: reported)
    return reported


def run(lesson, target=None):
    file = StringIO()
    return run_lesson_tests(lesson, target, file), file.getvalue()


def test_without_a_students_file_it_tests_the_solution(proofs, fresh_course):
    code, shown = run("lamp")
    assert code == 0
    assert "Proofs of the demo sync_demo.consumers.Echo" in shown
    assert "Claims about the solution" in shown
    ticked = [line.strip() for line in shown.splitlines() if "✓" in line]
    assert ticked == ["✓ Opens", "✓ repeats text", '✓ closes on "bye"']


def test_tests_the_students_file_and_says_that_it_is_unedited(proofs, course):
    code, shown = run("lamp")
    assert code == 1
    assert "Claims about the student's file" in shown
    assert "python3 manage.py test --lesson 1 --target solution" in shown


def test_a_red_proof_is_red_with_its_reason_and_so_is_a_lesson_without_proofs(proofs, fresh_course):
    proofs[:] = [(Outcome("test_opens", "Opens", "red"), "assert 1 == 2")]
    code, shown = run("lamp")
    assert code == 1
    assert "✗ Opens\n\nWhy the first red proof is red: Opens\n  assert 1 == 2\n" in shown
    assert shown.endswith("red    1 of the demo's proofs: see above\n")
    proofs.clear()
    assert run("lamp")[0] == 1


REPORT = """<testsuites><testsuite>
<testcase name="test_asgi_py_opens[a]"/>
<testcase name="test_asgi_py_opens[b]"><failure message="m">assert 1 == 2</failure></testcase>
<testcase name="test_asgi_py_opens[c]"/>
<testcase name="test_closes"><skipped message="m">no browser</skipped></testcase>
</testsuite></testsuites>"""


def test_a_proof_is_a_function_with_all_its_parameters(tmp_path):
    report = tmp_path / "proofs.xml"
    assert read_proofs(report) == []
    report.write_text(REPORT)
    assert read_proofs(report) == [
        (Outcome("test_asgi_py_opens", "Asgi.py opens", "red"), "assert 1 == 2"),
        (Outcome("test_closes", "Closes", "not run"), "no browser"),
    ]


@pytest.mark.parametrize("slug", ["stop", "logout"])  # without and with a database
def test_runs_the_proofs_of_a_lesson(slug, tmp_path):
    lesson = find(slug)
    assert start_proofs(lesson, tmp_path / "proofs.xml").wait() == 0
    found = read_proofs(tmp_path / "proofs.xml")
    assert {outcome.state for outcome, _ in found} == {"green"}
    assert len(found) == lesson.tests.read_text("utf-8").count("def test_")


# Without --lesson, and wrong usage


def exit_code_of_test(*words):
    with pytest.raises(SystemExit) as ended:
        test.Command().run_from_argv(["manage.py", "test", *words])
    return ended.value.code


ALL_CORES = ["-n", str(os.cpu_count()), "--timeout", "300", "-q"]


@pytest.mark.parametrize(
    "words, arguments, leaves_out",
    [
        ([], [*ALL_CORES, "--ignore=tests/real"], True),
        (["--all"], [*ALL_CORES, "-rs"], False),
        (["-x"], ["-x", "--ignore=tests/real"], True),
        (["tests/sync_demo"], ["tests/sync_demo"], False),
    ],
)
def test_runs_all_and_says_what_is_left_out(monkeypatch, capsys, words, arguments, leaves_out):
    started = []
    monkeypatch.setattr(pytest, "main", lambda words: started.append(words) or pytest.ExitCode.OK)
    assert (exit_code_of_test(*words), started) == (0, [arguments])
    assert ("Left out: tests/real" in capsys.readouterr().out) is leaves_out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--target solution", "--target needs a lesson: --lesson N"),
        ("--lesson 99", "There is no lesson '99'"),
        ("--lesson stop --target no_such.py", "no_such.py"),
        ("--lesson stop -x", "--lesson takes no other option than --target"),
    ],
)
def test_wrong_usage_of_test_ends_with_2(capsys, words, reason):
    assert exit_code_of_test(*words.split()) == 2
    assert reason in capsys.readouterr().err
