"""`lesson list`: every lesson, how it stands, what is next."""

from rich.text import Text

from lessons.cli.read import draw_notice
from lessons.cli.screen import CROSS, NOT_RUN, TICK, print_paragraph, print_text
from lessons.core import catalogue, progress
from lessons.core.catalogue import IncompleteLesson, Lesson
from lessons.core.progress import Progress

_SIGNS = {"green": (TICK, "green"), "red": (CROSS, "red"), "new": (NOT_RUN, "dim")}


def draw_list(console) -> None:
    if not catalogue.lessons():
        print_text(console, "There is no lesson yet.")
        return
    known = progress.read()
    upcoming = progress.next_lesson()
    rows = [(one, known.get(one.key, Progress())) for one in catalogue.lessons()]
    slugs = max(len(lesson.slug) for lesson, _ in rows)
    states = max(len(_state(progressed)) for _, progressed in rows)
    for lesson, progressed in rows:
        sign, colour = _SIGNS[progressed.state]
        emphasis = "bold" if lesson == upcoming else ""
        start = Text.assemble(
            (f"{sign} ", colour),
            (f"{lesson.number:>2}  {lesson.slug:<{slugs}}  ", emphasis),
            (f"{_state(progressed):<{states}}  ", colour),
        )
        print_paragraph(console, start, _title(lesson), emphasis)
    console.print()
    for lesson, _ in rows:
        draw_notice(console, lesson)
    print_text(console, _what_next(upcoming, known.get(upcoming.key, Progress())))


def _title(lesson: Lesson) -> str:
    try:
        return lesson.title
    except IncompleteLesson:
        return "(incomplete: see lesson verify)"


def _state(known: Progress) -> str:
    parts = [known.state]
    if known.was_green and known.state != "green":
        parts.append("was green")
    if known.hints:
        parts.append(f"{known.hints} hint{'s' if known.hints > 1 else ''}")
    return ", ".join(parts)


def _what_next(lesson: Lesson, known: Progress) -> str:
    if known.state == "green":
        return "All lessons are green."
    return (
        f"Read it:   manage.py lesson show {lesson.number}\n"
        f"Do it:     manage.py lesson watch {lesson.number}"
    )
