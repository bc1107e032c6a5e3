"""Prints a verdict: ticks and crosses, then the first diagnosis in full."""

import textwrap
from collections.abc import Sequence

from rich.text import Text

from lessons.workshop.course.diagnoses import advice_of, diagnosis, title_of
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.events import Event
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
    for finding in verdict.findings[:1]:
        _print_finding(console, lesson, finding)
        for outcome in verdict.outcomes:
            if outcome.finding is finding and outcome.transcript:
                console.print()
                print_transcript(console, outcome.claim, outcome.transcript)
    further = sum(outcome.state == "red" for outcome in verdict.outcomes) - 1
    if further > 0:  # often for the same reason
        red = f"{further} more {'claim is' if further == 1 else 'claims are'} red."
        print_text(console, f"\n{red} Repair this one first.", "yellow")
    _print_output(console, verdict.output)
    if time:
        console.print()
        console.print(headline)


def print_outcomes(console, outcomes: Sequence[Outcome], not_run: str) -> None:
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


def print_transcript(console, title: str, events: Sequence[Event]) -> None:
    """Print the events. On a terminal, a longer line is cut at the terminal's width."""
    print_paragraph(console, "Transcript: ", title, "dim")
    columns = console.width if console.is_terminal else None
    print_text(console, render(events, columns, waits=True))


def _print_finding(console, lesson: Lesson, finding: Finding) -> None:
    known, advice = diagnosis(finding.diagnosis), advice_of(finding)
    console.print(Text.assemble((f"\n{title_of(finding)}", "bold red"), (f"  {known.id}", "dim")))
    if finding.event or finding.handler:
        print_text(console, " → ".join(filter(None, (finding.event, finding.handler))))
    if finding.file:
        print_text(console, short_path(finding.file) + (f":{finding.line}" if finding.line else ""))
    if finding.detail:
        console.print()
        print_wrapped(console, textwrap.indent(finding.detail, "  "))
    console.print()
    is_missing = finding.diagnosis == "file-missing"
    has_lesson = known.lesson not in (None, lesson.number)
    for label, text in {
        "Promise": finding.promise,
        "Steps": finding.conversation,
        "You see": not finding.seen and known.symptom,
        "Usually" if advice.is_usual else "Cause": advice.cause,
        "If so" if advice.is_usual else "Cure": advice.cure,
        "Begin": is_missing and f"{MANAGE} lesson reset {lesson.number}",
        "Read": has_lesson and f"{MANAGE} lesson show {known.lesson}",
    }.items():
        if text:
            print_paragraph(console, f"  {label:<9}", text, "bold" if label == "Cure" else "")


def _print_output(console, output: str) -> None:
    if not output.strip():
        return
    lines = output.rstrip().split("\n")
    print_text(console, "\nPrinted by your code", "dim")
    print_text(console, textwrap.indent("\n".join(lines[:_MAX_OUTPUT_LINES]), "  "))
    if (more := len(lines) - _MAX_OUTPUT_LINES) > 0:
        print_text(console, f"  [{more} more lines: --json has them]", "dim")
