"""`lesson show`, `hint`, `solution` and `reset`: what a student reads, and the way back."""

from django.core.management.base import CommandError

from lessons.cli.screen import markdown, print_text, python, short_path
from lessons.core import exercise_copies, progress
from lessons.core.catalogue import Lesson


def draw_lesson(console, lesson: Lesson) -> None:
    """The lesson's text with its code, then what to type next."""
    from lessons.core.lesson_text import TextError, expanded_text

    try:
        markdown(console, expanded_text(lesson))
    except TextError as error:
        raise CommandError(str(error), returncode=2) from None
    console.print()
    draw_notice(console, lesson)
    print_text(
        console,
        f"Edit    {short_path(lesson.exercise)}\n"
        f"Judge   manage.py lesson watch {lesson.number}\n"
        f"Stuck   manage.py lesson hint {lesson.number}",
    )


def draw_notice(console, lesson: Lesson) -> None:
    """Say that the course has changed an exercise that the student has edited."""
    if notice := exercise_copies.update_notice(lesson):
        print_text(console, notice, style="yellow")


def draw_hint(console, lesson: Lesson) -> None:
    """One hint more than the last time; the last one again when there is no more."""
    shown, most = progress.show_hint(lesson), len(lesson.hints)
    if not shown:
        print_text(console, f"Lesson {lesson.number} has no hints.")
        return
    print_text(console, f"Hint {shown} of {most}", style="bold")
    console.print()
    markdown(console, lesson.hints[shown - 1])
    console.print()
    if shown < most:
        print_text(console, f"Left: {most - shown}. Next: manage.py lesson hint {lesson.number}")
    else:
        print_text(console, f"No hint is left. See also: manage.py lesson mistakes {lesson.number}")


def draw_solution(console, lesson: Lesson, force: bool) -> int:
    """The solution, for whoever has one of their own or insists; 1 for anybody else."""
    if not (force or progress.of(lesson).was_green):
        print_text(
            console,
            f"Lesson {lesson.number} has not been green yet. The solution is shown once it has.\n"
            f"A hint: manage.py lesson hint {lesson.number}\n"
            f"The solution all the same: manage.py lesson solution {lesson.number} --force",
        )
        return 1
    python(console, lesson.solution.read_text(encoding="utf-8"))
    return 0


def reset(console, lesson: Lesson) -> None:
    """Replace the exercise with the original; the student's version is kept beside it."""
    if exercise_copies.is_unedited(lesson):
        print_text(console, f"{short_path(lesson.exercise)} is unedited. Nothing was done.")
        return
    if backup := exercise_copies.reset_exercise(lesson):
        print_text(console, f"Your version is now {short_path(backup)}.")
    print_text(console, f"{short_path(lesson.exercise)} is the original again.")
