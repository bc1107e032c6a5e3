"""`lesson list`, `show`, `hint`, `solution`, `reset`: texts in the terminal.

`list` does not wait for the engine: the functions that judge import it.
"""

from rich.text import Text

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import MANAGE, UNFINISHED, IncompleteLesson, Lesson
from lessons.workshop.course.lesson_text import expanded_text
from lessons.workshop.member import membership
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.student.progress import Progress
from lessons.workshop.terminal.terminal_output import (
    STATE_SIGNS,
    print_markdown,
    print_paragraph,
    print_python,
    print_text,
    short_path,
)

SOLUTION = f"The solution anyway: {MANAGE} lesson solution"


def list_lessons(console) -> None:
    """Every lesson by part, with its state, then what to do next."""
    known = progress.read()
    upcoming = progress.next_lesson()
    rows = {one: known.get(one.key, Progress()) for one in lesson_index.lessons()}
    slug_width = max(len(lesson.slug) for lesson in rows)
    state_width = max(len(_state_of(reached)) for reached in rows.values())
    heading = ""
    for lesson, reached in rows.items():
        part, title = _titles_of(lesson)
        if heading != (heading := part):
            print_text(console, heading, style="bold cyan")
        sign, colour = STATE_SIGNS[reached.standing]
        emphasis = "bold" if lesson == upcoming else ""
        label = Text.assemble(
            (f"{sign} ", colour),
            (f"{lesson.number:>2}  {lesson.slug:<{slug_width}}  ", emphasis),
            (f"{_state_of(reached):<{state_width}}  ", colour),
        )
        print_paragraph(console, label, title, emphasis)
    console.print()
    for lesson in rows:
        print_update_notice(console, lesson)
    if rows[upcoming].is_done:
        green = sum(reached.state == "green" for reached in rows.values())
        rest = "are green" if green == len(rows) else f"are done, {green} of {len(rows)} are green"
        print_text(console, f"All lessons {rest}.")
    else:
        print_text(console, f"Read it:   {MANAGE} lesson show {upcoming.number}")
        print_text(console, f"Do it:     {MANAGE} lesson watch {upcoming.number}")


def _titles_of(lesson: Lesson) -> tuple[str, str]:
    """The title of its part, and its own."""
    try:
        return lesson.part_title, lesson.title
    except IncompleteLesson:
        return UNFINISHED, "(incomplete: see lesson verify)"


def _state_of(reached: Progress) -> str:
    parts = [reached.standing]
    if reached.was_green and reached.state != "green":
        parts.append("was green")
    if reached.hints:
        parts.append(f"{reached.hints} hint{'s' if reached.hints > 1 else ''}")
    return ", ".join(parts)


def show_lesson(console, lesson: Lesson) -> None:
    """The lesson's text with its code, then the commands to type next."""
    print_markdown(console, expanded_text(lesson))
    console.print()
    print_update_notice(console, lesson)
    print_text(console, f"Predict {MANAGE} lesson predict {lesson.number}")
    print_text(console, f"Edit    {short_path(lesson.exercise)}")
    print_text(console, f"Judge   {MANAGE} lesson watch {lesson.number}")
    print_text(console, f"Stuck   {MANAGE} lesson hint {lesson.number}")


def print_update_notice(console, lesson: Lesson) -> None:
    """Say that the course has changed an exercise that the student has edited."""
    if notice := exercise_copies.update_notice(lesson):
        print_text(console, notice, style="yellow")


def show_hint(console, lesson: Lesson) -> None:
    """One hint more than the last time; after the last hint, the last one again."""
    if membership.is_held("hints"):
        print_text(console, f"{membership.NOT_RELEASED} Lesson {lesson.number}: hints.")
        return
    shown, total = progress.show_hint(lesson), len(lesson.hints)
    if not shown:
        print_text(console, f"Lesson {lesson.number} has no hints.")
        return
    print_text(console, f"Hint {shown} of {total}\n", style="bold")
    print_markdown(console, lesson.hints[shown - 1])
    rest = f"Left: {total - shown}. Next: {MANAGE} lesson hint {lesson.number}"
    if shown == total:
        rest = f"No hint is left. {SOLUTION} {lesson.number} --force"
    print_text(console, f"\n{rest}")


def show_solution(console, lesson: Lesson, force: bool) -> int:
    """Print the solution if the lesson was green or read, or with `force`. Returns the exit code.

    With `force`, a lesson that was never green counts as read.
    """
    may_read = membership.may_read_solution(lesson)
    if not may_read and membership.is_held("solutions"):
        print_text(console, f"{membership.NOT_RELEASED} Lesson {lesson.number}: solution.")
        return 1
    if not (force or may_read):
        print_text(
            console,
            f"Lesson {lesson.number} has not been green yet. The solution is shown when it has.\n"
            f"A hint: {MANAGE} lesson hint {lesson.number}\n"
            f"{SOLUTION} {lesson.number} --force\n"
            "The lesson then counts as read, until your exercise is green.",
        )
        return 1
    progress.show_solution(lesson)
    print_python(console, lesson.solution.read_text(encoding="utf-8"))
    return 0


def reset_lesson(console, lesson: Lesson) -> None:
    """Replace the exercise with the original. The student's version is kept beside it."""
    file = short_path(lesson.exercise)
    if exercise_copies.is_unedited(lesson):
        print_text(console, f"{file} is unedited. Nothing was done.")
        return
    if backup := exercise_copies.reset_exercise(lesson):
        print_text(console, f"Your version is now {short_path(backup)}.")
    print_text(console, f"{file} is the original again.")
