"""`manage.py test --lesson N`: the proofs of a lesson's demo, then the claims about a target."""

import sys
import textwrap
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.terminal.check import judge_or_fail
from lessons.workshop.terminal.terminal_output import (
    open_console,
    print_text,
    print_wrapped,
    short_path,
)
from lessons.workshop.terminal.verdict_text import print_outcomes, print_verdict

_STATES = {"failure": "red", "error": "red", "skipped": "not run"}  # by pytest's element


def run_lesson_tests(number_or_slug: str, target: str | None, file=None) -> int:
    """Print a line for each proof and each claim. Returns 0 for green, 1 for red.

    The proofs are tests of the worked example. The claims are those of `lesson check`, with the
    generated conversations. The target is the student's file, or else the solution. Both run at the
    same time, and are printed one after the other. Raises UnknownLesson and UnknownTarget.
    """
    lesson = lesson_index.find(number_or_slug)
    target = target or ("exercise" if lesson.exercise.is_file() else "solution")
    judged = resolve(lesson, target)
    console = open_console(file or sys.stdout)
    print_text(console, f"Lesson {lesson.number} {lesson.slug}", "bold")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "proofs.xml"
        with start_proofs(lesson, report):
            verdict = judge_or_fail(lesson, judged)
        proven = read_proofs(report)
    red_proofs = _print_proofs(console, lesson, proven)
    _print_target(console, lesson, target, judged.file)
    print_verdict(console, lesson, verdict)
    if red_proofs:
        print_text(console, f"red    {red_proofs} of the demo's proofs: see above", "bold red")
    return 0 if verdict.green and not red_proofs else 1


def start_proofs(lesson: Lesson, report: Path) -> Popen:
    """Let pytest run the lesson's proofs, and write a report."""
    without = [f"-pno:{plugin}" for plugin in ("randomly", "xdist", "cacheprovider")]
    command = [sys.executable, "-m", "pytest", *without, f"--junitxml={report}", lesson.tests]
    return Popen(command, cwd=PROJECT_DIR, stdout=DEVNULL, stderr=DEVNULL)


def read_proofs(report: Path) -> list[tuple[Outcome, str]]:
    """Each test function with all its parameters, and why it is red; none without a report."""
    found: dict[str, tuple[Outcome, str]] = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = case.get("name", "").partition("[")[0]
        states = [(_STATES[part.tag], part.text or "") for part in case if part.tag in _STATES]
        state, reason = states[0] if states else ("green", "")
        if name not in found or found[name][0].state != "red":
            words = name.removeprefix("test_").replace("_", " ").replace("asgi py", "asgi.py")
            found[name] = Outcome(name, words[:1].upper() + words[1:], state), reason
    return [*found.values()]


def _print_proofs(console, lesson: Lesson, proofs: list[tuple[Outcome, str]]) -> int:
    """Print the proofs, and the reason of the first red one. Returns how many are red."""
    print_text(console, f"\nProofs of the demo {lesson.demo}")
    print_text(console, f"  {short_path(lesson.tests)}", "dim")
    proofs = proofs or [(Outcome("", "The file has tests", "red"), "No test was found.")]
    print_outcomes(console, [outcome for outcome, _ in proofs], "skipped")
    red = [(outcome.claim, reason) for outcome, reason in proofs if outcome.state == "red"]
    for claim, reason in red[:1]:
        print_text(console, f"\nWhy the first red proof is red: {claim}", "bold red")
        print_wrapped(console, textwrap.indent(reason, "  "))
    return len(red)


def _print_target(console, lesson: Lesson, target: str, file: Path) -> None:
    mistake = target if target.startswith("mistake:") else "the file"
    whose = {"exercise": "the student's file", "solution": "the solution"}.get(target, mistake)
    print_text(console, f"\nClaims about {whose}")
    print_text(console, f"  {short_path(file)}", "dim")
    if target == "exercise" and file.read_bytes() == lesson.original.read_bytes():
        again = f"{lesson_index.MANAGE} test --lesson {lesson.number} --target solution"
        print_text(console, f"  It is unedited. To test the solution:\n  {again}", "dim")
