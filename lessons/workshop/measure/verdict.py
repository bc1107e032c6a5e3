"""`bench verdict`: how long a student waits for a verdict, for those who work on the engine."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import exercise
from lessons.workshop.engine.process.player_handle import warm_up
from lessons.workshop.engine.process.pool import PROCESSES
from lessons.workshop.judge.daemon.exercise_watcher import first_red  # it imports judge.preload
from lessons.workshop.judge.runner import judge
from lessons.workshop.judge.verdict import Outcome

WARM_UP_TIME = 0.3  # seconds between a verdict and the next save: a student takes longer
MOMENTS = ("first red", "claims", "explored")


def run(lessons: list[Lesson], rounds: int, write: Callable[[str], object]) -> None:
    """Write a line for each lesson: the median of milliseconds until three moments.

    "first red" is the first report on the exercise, saved again and again; "claims" says that the
    solution keeps all claims; "explored" is the verdict after the generated conversations (a lesson
    about tests has none).
    """
    write(f"{'ms':<16}" + "".join(f"{moment:>12}" for moment in MOMENTS))
    for lesson in lessons:
        times = measure(lesson, rounds)
        cells = "".join(f"{times[moment]:>12.0f}" for moment in MOMENTS)
        write(f"{lesson.number:>2} {lesson.slug:<13}{cells}")


def measure(lesson: Lesson, rounds: int) -> dict[str, float]:
    """The medians, measured in this process, which judges as the judge process does."""
    right, wrong = lesson.solution.read_text("utf-8"), lesson.original.read_text("utf-8")
    times: list[tuple[float, ...]] = []  # of each round, by moment
    failed: Outcome | None = None  # the judge begins with what was red the last time

    def judged(file: Path, text: str) -> list[float]:
        """Milliseconds until each report on this text."""
        nonlocal failed
        file.write_text(text, encoding="utf-8")
        warm_up(PROCESSES)  # as the judge process does between two saves
        time.sleep(WARM_UP_TIME)
        reported = [time.perf_counter()]
        verdict = judge(
            lesson,
            exercise(lesson, "exercise", file),
            on_claims=lambda _: reported.append(time.perf_counter()),
            failed_before=failed,
        )
        reported.append(time.perf_counter())
        failed = first_red(verdict) or failed
        return [1000 * (at - reported[0]) for at in reported[1:]]

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / lesson.exercise.name
        for number in range(rounds + 1):
            red, green = (judged(file, f"{text}\n# {number}\n") for text in (wrong, right))
            if number:  # the first round is the warm-up
                times.append((red[0], green[0], green[-1]))
    return dict(zip(MOMENTS, map(median, zip(*times, strict=True)), strict=True))
