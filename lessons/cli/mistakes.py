"""`lesson mistakes`: the classic wrong versions of a lesson, each with its diagnosis."""

from django.core.management.base import CommandError

from lessons.cli.check import judge_or_fail
from lessons.cli.screen import print_paragraph, print_text
from lessons.core.catalogue import MANAGE, Lesson
from lessons.core.diagnoses import diagnosis
from lessons.judge.verdict import Outcome, Verdict
from lessons.simulator.finding import CheckFailed
from lessons.simulator.student_module import mistakes_of
from lessons.wire.difference import first_differing_connections, matching_connections
from lessons.wire.transcript import render_difference


def print_mistakes(console, lesson: Lesson) -> None:
    """Print each mistake, its diagnosis, and where its conversation first differs."""
    try:
        mistakes = mistakes_of(lesson)
    except CheckFailed as error:
        raise CommandError(str(error), returncode=2) from None
    right = {outcome.name: outcome for outcome in judge_or_fail(lesson, "solution").outcomes}
    for name, mistake in mistakes.items():
        print_text(console, name, style="bold red")
        print_paragraph(console, "", mistake.__doc__ or "")
        _print_mistake_verdict(console, judge_or_fail(lesson, f"mistake:{name}"), right)
        console.print()
    command = f"{MANAGE} lesson check {lesson.number} --target mistake:NAME"
    print_text(console, f"To judge one:\n  {command}")


def _print_mistake_verdict(console, verdict: Verdict, right: dict[str, Outcome]) -> None:
    for name in verdict.diagnosis_ids[:1]:
        known = diagnosis(name)
        print_paragraph(console, "  Gets     ", f"{known.title} ({known.id})")
        print_paragraph(console, "  Seen as  ", known.symptom)
    for outcome in verdict.outcomes:
        if outcome.state == "red" and outcome.transcript:
            columns = console.width if console.is_terminal else None
            console.print()
            print_paragraph(console, "  ", outcome.claim, "dim")
            whole, wrong = right[outcome.name].transcript, outcome.transcript
            parts = first_differing_connections(matching_connections(whole, wrong), wrong)
            expected, got = ([event.message for event in events] for events in parts)
            print_text(console, render_difference(expected, got, columns))
            return
