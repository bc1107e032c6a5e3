"""`bench verdict`: how long a student waits, compared with plain pytest on the same checks."""

import time
from collections import defaultdict
from statistics import median

from lessons.bench import chart
from lessons.bench.processes import ProjectCopy, project_copy
from lessons.bench.report import Column, Options, Report, text_table
from lessons.core import catalogue
from lessons.core.catalogue import PROJECT_DIR, Lesson

PEER = "pytest, from cold"
COLUMNS = [
    Column("what", "<28"),
    Column("median_ms", ">9", "median", "ms", ".0f"),
    Column("min_ms", ">9", "min", "ms", ".0f"),
    Column("max_ms", ">9", "max", "ms", ".0f"),
    Column("ratio", ">8", "ratio", "", ".2f"),
]


def run(options: Options) -> Report:
    lesson = catalogue.find(options.lesson or "3")
    rounds = options.rounds_or(15, quick=3)
    rows = rows_of(measure(lesson, rounds))
    return Report(
        {"lesson": lesson.key, "rounds": rounds, "rows": rows},
        text_table(COLUMNS, rows),
        chart.bars(
            "Time to a verdict, as a share of plain pytest's",
            [{**row, "server": f"lesson {lesson.key}"} for row in rows],
        ),
    )


def measure(lesson: Lesson, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round, by what was measured. In each round, every kind runs once.

    "save to verdict" starts when the exercise is written and ends when `lesson watch` has printed
    the last line of the verdict. The other kinds are whole processes from start to exit.
    """
    times: dict[str, list[float]] = defaultdict(list)
    with project_copy() as project:
        exercise = project.folder / lesson.exercise.relative_to(PROJECT_DIR)
        check = str(lesson.check.relative_to(PROJECT_DIR))
        versions = [lesson.solution.read_text("utf-8"), lesson.original.read_text("utf-8")]
        kinds = {
            PEER: lambda: project.run("-m", "pytest", "-q", check, "--target", "solution"),
            "lesson check, from cold": lambda: project.run(
                "manage.py", "lesson", "check", lesson.slug, "--target", "solution"
            ),
        }
        for run_kind in kinds.values():
            run_kind()  # warms the disk cache and writes the bytecode
        with _Watch(project, lesson) as watch:
            for number in range(rounds):
                for kind, run_kind in kinds.items():
                    times[kind].append(_milliseconds(run_kind))
                exercise.write_text(versions[number % 2], encoding="utf-8")
                times["save to verdict"].append(_milliseconds(watch.read_verdict))
    return dict(times)


class _Watch:
    """A running `lesson watch`."""

    def __init__(self, project: ProjectCopy, lesson: Lesson):
        self._process = project.start("-u", "manage.py", "lesson", "watch", lesson.slug)

    def __enter__(self):
        self.read_verdict()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate()

    def read_verdict(self) -> None:
        """Wait for the line that follows each verdict."""
        for line in self._process.stdout:
            if line.startswith("Watching "):
                return
        raise RuntimeError("lesson watch ended before its verdict")


def _milliseconds(action) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def rows_of(times: dict[str, list[float]]) -> list[dict]:
    """A row for each kind: median, fastest and slowest in ms, and the ratio to plain pytest."""
    peer = median(times[PEER])
    return [
        {
            "what": kind,
            "median_ms": round(median(values), 1),
            "min_ms": round(min(values), 1),
            "max_ms": round(max(values), 1),
            "ratio": round(median(values) / peer, 3),
        }
        for kind, values in times.items()
    ]
