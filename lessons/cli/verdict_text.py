"""Prints a verdict: ticks and crosses, then the first diagnosis in full."""

from rich.text import Text

from lessons.cli.screen import STATE_SIGNS, print_paragraph, print_text, short_path
from lessons.core import progress
from lessons.core.catalogue import MANAGE, Lesson
from lessons.core.diagnoses import diagnosis
from lessons.judge.verdict import Verdict
from lessons.simulator.finding import Finding
from lessons.wire.transcript import render

_MAX_OUTPUT_LINES = 15


def print_verdict(console, lesson: Lesson, verdict: Verdict) -> None:
    """Print a verdict. Only the first diagnosis is in full: the others often follow from it."""
    colour = "green" if verdict.green else "red"
    head = Text.assemble(
        (f"{'green' if verdict.green else 'red'}  ", f"bold {colour}"),
        (f"Lesson {lesson.number} {lesson.slug}", "bold"),
        (f"  {verdict.target}, {verdict.seconds * 1000:.0f} ms", "dim"),
    )
    console.print(head)
    for outcome in verdict.outcomes:
        sign, colour = STATE_SIGNS[outcome.state]
        not_run = " (not run)" if outcome.state == "not run" else ""
        print_paragraph(console, Text(f"  {sign} ", style=colour), outcome.claim + not_run)
    findings = {finding.diagnosis: finding for finding in reversed(verdict.findings)}
    ordered = [findings[name] for name in verdict.diagnosis_ids]
    for finding in ordered[:1]:
        _print_finding(console, lesson, finding)
        _print_transcript(console, verdict, finding)
    if ordered[1:]:
        console.print()
    for finding in ordered[1:]:
        line = f", line {finding.line}" if finding.line else ""
        print_paragraph(console, "Also  ", f"{diagnosis(finding.diagnosis).title}{line}", "yellow")
    _print_output(console, verdict.output)


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
    console.print(Text.assemble((known.title, "bold red"), (f"  {known.id}", "dim")))
    event_and_handler = finding.message.removesuffix(known.title).partition(" (")[0].rstrip(": ")
    if event_and_handler:
        print_text(console, event_and_handler)
    if finding.file:
        print_text(console, short_path(finding.file) + (f":{finding.line}" if finding.line else ""))
    if finding.detail:
        console.print()
        print_text(console, _indented(finding.detail))
    console.print()
    print_paragraph(console, "  Seen as  ", known.symptom)
    print_paragraph(console, "  Cause    ", known.cause)
    print_paragraph(console, "  Cure     ", known.cure, "bold")
    if known.lesson not in (None, lesson.number):
        print_paragraph(console, "  Read     ", f"{MANAGE} lesson show {known.lesson}")


def _print_transcript(console, verdict: Verdict, finding: Finding) -> None:
    for outcome in verdict.outcomes:
        if outcome.finding is finding and outcome.transcript:
            console.print()
            print_paragraph(console, "Transcript: ", outcome.claim, "dim")
            columns = console.width if console.is_terminal else None
            print_text(console, render(outcome.transcript, columns))


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
