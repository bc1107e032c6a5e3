"""`lesson teach` and `lesson mistakes`: what an instructor reads in the terminal."""

from django.core.management.base import CommandError

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.course.lesson_text import TextError, expanded_teach_page
from lessons.workshop.course.mistakes import mistakes_of
from lessons.workshop.course.plans import plans
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.check import judge_or_fail
from lessons.workshop.terminal.terminal_output import print_markdown, print_paragraph, print_text


def teach(console, lesson: Lesson | None) -> None:
    """Print what an instructor needs for `lesson`; without a lesson, the plans for a class."""
    if lesson is None:
        _print_plans(console)
        return
    try:
        print_markdown(console, expanded_teach_page(lesson))
    except TextError as error:
        raise CommandError(str(error), returncode=2) from None
    console.print()
    print_paragraph(console, "Goal     ", lesson.goal)
    print_paragraph(console, "Minutes  ", str(lesson.minutes))
    if lesson.needs:
        needs = ", ".join(f"{one.number} {one.slug}" for one in lesson.needs)
        print_paragraph(console, "Needs    ", needs)


def _print_plans(console) -> None:
    for plan in plans():
        print_text(console, plan.title, style="bold")
        print_paragraph(console, "  ", plan.summary)
        for session in plan.sessions:
            console.print()
            print_text(console, f"  {session.title}")
            for part in session.parts:
                number = f"{part.lesson.number:>2}" if part.lesson else "  "
                label = f"    {part.begins}  {part.minutes:>3} min  {number}  "
                print_paragraph(console, label, part.title)
            print_text(console, f"    {session.ends}  end, {session.minutes_left} min to spare")
        console.print()
        at_home = ", ".join(f"{one.number} {one.slug}" for one in plan.at_home)
        print_paragraph(console, "  Optional, at home  ", at_home)
        console.print()
    print_text(console, f"The page of one lesson: {MANAGE} lesson teach 1")


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
