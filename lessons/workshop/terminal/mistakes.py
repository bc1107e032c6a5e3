"""`lesson mistakes`: the classic wrong versions of a lesson, each with its diagnosis."""

from django.core.management.base import CommandError

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.world.student_module import mistakes_of
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.check import judge_or_fail
from lessons.workshop.terminal.terminal_output import print_paragraph, print_text


def print_mistakes(console, lesson: Lesson) -> None:
    """Print each mistake, its diagnosis, and the conversation that shows it."""
    try:
        mistakes = mistakes_of(lesson)
    except CheckFailed as error:
        raise CommandError(str(error), returncode=2) from None
    for name, mistake in mistakes.items():
        print_text(console, name, style="bold red")
        print_paragraph(console, "", mistake.__doc__ or "")
        _print_mistake_verdict(console, judge_or_fail(lesson, f"mistake:{name}"))
        console.print()
    command = f"{MANAGE} lesson check {lesson.number} --target mistake:NAME"
    print_text(console, f"To judge one:\n  {command}")


def _print_mistake_verdict(console, verdict: Verdict) -> None:
    for name in verdict.diagnosis_ids[:1]:
        known = diagnosis(name)
        print_paragraph(console, "  Gets     ", f"{known.title} ({known.id})")
        print_paragraph(console, "  Seen as  ", known.symptom)
    for outcome in verdict.outcomes:
        if outcome.state == "red":
            console.print()
            print_paragraph(console, "  ", outcome.claim, "dim")
            if outcome.finding.conversation:
                print_paragraph(console, "  Play it  ", outcome.finding.conversation)
            print_text(console, outcome.finding.detail)
            return
