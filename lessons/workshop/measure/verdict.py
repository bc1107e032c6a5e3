"""`bench verdict`: how long a student waits after a save, for those who work on the engine.

It measures in a copy of the project, so that no student's file changes. `python -m
lessons.workshop.measure.verdict ROUNDS LESSONS` measures inside the copy.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson

WARM_UP_TIME = 0.3  # seconds between a verdict and the next save: a student takes longer
MOMENTS = ("first red", "claims", "explored")


def run(lessons: list[Lesson], rounds: int, write: Callable) -> None:
    """Write a line for each lesson: the median of milliseconds from a save to three moments.

    "first red" is the first report on the exercise, saved again and again; "claims" says that the
    solution keeps all claims; "explored" is the verdict after the generated conversations (a lesson
    about tests has none).
    """
    write(f"{'ms':<16}" + "".join(f"{moment:>12}" for moment in MOMENTS))
    command = [sys.executable, "-m", __spec__.name, str(rounds), *(one.slug for one in lessons)]
    with project_copy() as copy:
        with subprocess.Popen(command, cwd=copy, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                write(line.rstrip())
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)


@contextmanager
def project_copy() -> Iterator[Path]:
    """A fresh copy without the student's files and hidden folders (git, state, environment)."""
    with tempfile.TemporaryDirectory() as temporary:
        left_out = shutil.ignore_patterns(".*", "__pycache__", "work")
        yield shutil.copytree(PROJECT_DIR, Path(temporary) / "project", ignore=left_out)


def measure(lesson: Lesson, rounds: int) -> dict[str, float]:
    """The medians, measured in this process, which judges as the judge process does."""
    from lessons.workshop.engine.process.player_handle import warm_up
    from lessons.workshop.engine.process.pool import PROCESSES
    from lessons.workshop.judge.daemon.exercise_watcher import INTERVAL, ExerciseJudge

    right, wrong = lesson.solution.read_text("utf-8"), lesson.original.read_text("utf-8")
    reports: list[tuple[float, dict]] = []
    judge = ExerciseJudge([lesson], lambda key, one: reports.append((time.perf_counter(), one)))

    def save(text: str) -> list[float]:
        """Milliseconds from this save to each report on it."""
        reports.clear()
        warm_up(PROCESSES)  # as the judge process does between two saves
        time.sleep(WARM_UP_TIME)
        started = time.perf_counter()
        lesson.exercise.write_text(text, encoding="utf-8")
        while not any({"verdict", "fault"} & message.keys() for _, message in reports):
            judge.look()
            time.sleep(INTERVAL)
        if fault := next((one["fault"] for _, one in reports if "fault" in one), None):
            raise RuntimeError(fault)
        return [1000 * (at - started) for at, one in reports if {"claims", "verdict"} & one.keys()]

    lesson.exercise.parent.mkdir(exist_ok=True)
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds + 1):
        red, green = save(f"{wrong}\n# {number}\n"), save(f"{right}\n# {number}\n")
        if number:  # the first round is the warm-up
            for moment, value in zip(MOMENTS, (red[0], green[0], green[-1]), strict=True):
                times[moment].append(value)
    return {moment: median(values) for moment, values in times.items()}


if __name__ == "__main__":
    import django

    django.setup()
    for lesson in map(lesson_index.find, sys.argv[2:]):
        times = measure(lesson, int(sys.argv[1]))
        cells = "".join(f"{times[moment]:>12.0f}" for moment in MOMENTS)
        print(f"{lesson.number:>2} {lesson.slug:<13}{cells}", flush=True)
