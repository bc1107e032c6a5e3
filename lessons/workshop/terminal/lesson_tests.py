"""`manage.py test --lesson N`: the proofs of a lesson's demo, then the claims about a target."""

import sys
import textwrap
from pathlib import Path
from subprocess import PIPE, Popen

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.terminal.check import judge_or_fail
from lessons.workshop.terminal.proof_lines import ProofLine, read_lines
from lessons.workshop.terminal.terminal_output import (
    open_console,
    print_text,
    print_wrapped,
    short_path,
)
from lessons.workshop.terminal.verdict_text import print_outcomes, print_verdict


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
    proofs = _start_proofs(lesson)
    print_text(console, f"Lesson {lesson.number} {lesson.slug}", "bold")
    try:
        verdict = judge_or_fail(lesson, judged)
    except BaseException:
        proofs.kill()
        raise
    red_proofs = _print_proofs(console, lesson, proofs)
    _print_target(console, lesson, target, judged.file)
    print_verdict(console, lesson, verdict)
    if red_proofs:
        print_text(console, f"red    {red_proofs} of the demo's proofs: see above", "bold red")
    return 0 if verdict.green and not red_proofs else 1


def _start_proofs(lesson: Lesson) -> Popen:
    command = [sys.executable, "-m", "lessons.workshop.terminal.proof_lines", str(lesson.tests)]
    return Popen(command, cwd=PROJECT_DIR, stdout=PIPE, text=True, encoding="utf-8")


def _print_proofs(console, lesson: Lesson, proofs: Popen) -> int:
    """Wait for the proofs, print them, and the reason of the first red one. Counts the red ones."""
    print_text(console, f"\nProofs of the demo {lesson.demo}")
    print_text(console, f"  {short_path(lesson.tests)}", "dim")
    lines = read_lines(proofs.communicate()[0])
    lines = lines or [ProofLine("The file of proofs has tests", "red", "No test was found.")]
    print_outcomes(console, [Outcome("", line.claim, line.state) for line in lines], "skipped")
    red = [line for line in lines if line.state == "red"]
    if red:
        print_text(console, f"\nWhy the first red proof is red: {red[0].claim}", "bold red")
        print_wrapped(console, textwrap.indent(red[0].reason, "  "))
    return len(red)


def _print_target(console, lesson: Lesson, target: str, file: Path) -> None:
    mistake = target if target.startswith("mistake:") else "the file"
    whose = {"exercise": "the student's file", "solution": "the solution"}.get(target, mistake)
    print_text(console, f"\nClaims about {whose}")
    print_text(console, f"  {short_path(file)}", "dim")
    if target == "exercise" and file.read_bytes() == lesson.original.read_bytes():
        again = f"{lesson_index.MANAGE} test --lesson {lesson.number} --target solution"
        print_text(console, f"  It is unedited. To test the solution:\n  {again}", "dim")
