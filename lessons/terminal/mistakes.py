"""`lesson mistakes`: each wrong version, what it gets, and where its conversation goes wrong."""

from itertools import zip_longest

from django.core.management.base import CommandError

from lessons.catalogue import Lesson
from lessons.checking.diagnoses import diagnosis
from lessons.checking.finding import Red
from lessons.checking.target import mistakes_of
from lessons.checking.verdict import Outcome, Verdict
from lessons.terminal.checking import judged
from lessons.terminal.screen import hanging, literal
from lessons.wire.transcript import compare, first_difference


def draw_mistakes(console, lesson: Lesson) -> None:
    try:
        mistakes = mistakes_of(lesson)
    except Red as red:
        raise CommandError(str(red), returncode=2) from None
    right = {outcome.name: outcome for outcome in judged(lesson, "solution").outcomes}
    for name, mistake in mistakes.items():
        literal(console, name, style="bold red")
        hanging(console, "", mistake.__doc__ or "")
        _draw_what_it_gets(console, judged(lesson, f"mistake:{name}"), right)
        console.print()
    literal(console, f"To judge one: manage.py lesson check {lesson.number} --target mistake:NAME")


def _draw_what_it_gets(console, verdict: Verdict, right: dict[str, Outcome]) -> None:
    for name in verdict.diagnosis_ids[:1]:
        known = diagnosis(name)
        hanging(console, "  Gets     ", f"{known.title} ({known.id})")
        hanging(console, "  Seen as  ", known.symptom)
    for outcome in verdict.outcomes:
        if outcome.state == "red" and outcome.transcript:
            columns = console.width if console.is_terminal else None
            console.print()
            hanging(console, "  ", outcome.claim, "dim")
            literal(console, compare(*_first_that_differ(right[outcome.name], outcome), columns))
            return


def _first_that_differ(right: Outcome, wrong: Outcome) -> tuple[list, list]:
    """The messages of one connection: the first on which the two part."""
    pairs = list(zip_longest(_connections(right), _connections(wrong), fillvalue=[]))
    return next((pair for pair in pairs if first_difference(*pair) is not None), pairs[0])


def _connections(outcome: Outcome) -> list[list[dict]]:
    """The messages of each connection, in the order in which they were opened."""
    messages: dict[str, list[dict]] = {}
    for event in outcome.transcript:
        messages.setdefault(event.connection, []).append(event.message)
    return list(messages.values())
