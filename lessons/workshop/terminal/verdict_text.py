"""Prints a verdict: ticks and crosses, then the first diagnosis in full."""

import re
from collections.abc import Sequence

from rich.text import Text

from lessons.workshop.course.diagnoses import advice_of, diagnosis, title_of
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import progress
from lessons.workshop.terminal.terminal_output import (
    STATE_SIGNS,
    print_paragraph,
    print_text,
    print_wrapped,
    short_path,
)

_MAX_OUTPUT_LINES = 15


def print_verdict(console, lesson: Lesson, verdict: Verdict, time: str = "") -> None:
    """Print a verdict. Only the first finding is in full: the others often follow from it.

    With a `time` of day, the headline has it and comes last: there it is in view, however long the
    verdict is.
    """
    state = "green" if verdict.green else "red"
    when = f" at {time}" if time else ""
    headline = Text.assemble(
        (f"{state}  ", f"bold {state}"),
        (f"Lesson {lesson.number} {lesson.slug}", "bold"),
        (f"  {verdict.target}, {verdict.seconds * 1000:.0f} ms{when}", "dim"),
    )
    print_outcomes(console, verdict.outcomes, "not run")
    if not time:
        console.print(headline)
    _print_reasons(console, lesson, verdict)
    if time:
        console.print()
        console.print(headline)


def _print_reasons(console, lesson: Lesson, verdict: Verdict) -> None:
    """Why a verdict is red, and what the student's code printed."""
    for finding in verdict.findings[:1]:
        _print_finding(console, lesson, finding)
        _print_transcript(console, verdict, finding)
    further = sum(outcome.state == "red" for outcome in verdict.outcomes) - 1
    if further > 0:  # often for the same reason
        console.print()
        red = f"{further} more {'claim is' if further == 1 else 'claims are'} red."
        print_text(console, f"{red} Repair this one first.", "yellow")
    _print_output(console, verdict.output)


def print_outcomes(console, outcomes: Sequence[Outcome], not_run: str = "") -> None:
    """Print a tick or a cross for each claim."""
    for outcome in outcomes:
        sign, colour = STATE_SIGNS[outcome.state]
        note = f" ({not_run})" if outcome.state == "not run" else ""
        print_paragraph(console, Text(f"  {sign} ", style=colour), outcome.claim + note)


def print_next(console, lesson: Lesson, verdict: Verdict) -> None:
    """Print the commands that a student may want next."""
    console.print()
    if not verdict.green:
        print_text(console, f"Stuck?  {MANAGE} lesson hint {lesson.number}", "dim")
        return
    print_text(console, f"Compare  {MANAGE} lesson solution {lesson.number}")
    upcoming = progress.next_lesson()
    if upcoming != lesson:
        print_text(console, f"Next     {MANAGE} lesson show {upcoming.number}")


def _print_finding(console, lesson: Lesson, finding: Finding) -> None:
    known = diagnosis(finding.diagnosis)
    console.print()
    console.print(Text.assemble((title_of(finding), "bold red"), (f"  {known.id}", "dim")))
    # The file is printed on its own line below.
    event_and_handler = re.sub(r"( →)? *\([^()]*\)$", "", finding.where)
    if event_and_handler:
        print_text(console, event_and_handler)
    if finding.file:
        print_text(console, short_path(finding.file) + (f":{finding.line}" if finding.line else ""))
    if finding.detail:
        console.print()
        print_wrapped(console, _indented(finding.detail))
    console.print()
    if finding.promise:
        print_paragraph(console, "  Promise  ", finding.promise)
    if finding.conversation:
        print_paragraph(console, "  Steps    ", finding.conversation)
    advice = advice_of(finding)
    if not finding.seen:
        print_paragraph(console, "  You see  ", known.symptom)
    if advice.is_usual:
        print_paragraph(console, "  Usually  ", advice.cause)
        print_paragraph(console, "  If so    ", advice.cure)
    else:
        print_paragraph(console, "  Cause    ", advice.cause)
        print_paragraph(console, "  Cure     ", advice.cure, "bold")
    if finding.diagnosis == "file-missing":
        print_paragraph(console, "  Begin    ", f"{MANAGE} lesson reset {lesson.number}")
    if known.lesson not in (None, lesson.number):
        print_paragraph(console, "  Read     ", f"{MANAGE} lesson show {known.lesson}")


def _print_transcript(console, verdict: Verdict, finding: Finding) -> None:
    for outcome in verdict.outcomes:
        if outcome.finding is finding and outcome.transcript:
            console.print()
            print_paragraph(console, "Transcript: ", outcome.claim, "dim")
            columns = console.width if console.is_terminal else None
            print_text(console, render(outcome.transcript, columns, waits=True))


def _print_output(console, output: str) -> None:
    if not output.strip():
        return
    lines = output.rstrip().split("\n")
    console.print()
    print_text(console, "Printed by your code", style="dim")
    print_text(console, _indented("\n".join(lines[:_MAX_OUTPUT_LINES])))
    if len(lines) > _MAX_OUTPUT_LINES:
        print_text(
            console, f"  [{len(lines) - _MAX_OUTPUT_LINES} more lines: --json has them]", "dim"
        )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
