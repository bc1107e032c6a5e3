"""`bench verdict`: how long a student waits, compared with pytest on the proofs of the demo."""

import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson
from lessons.workshop.measure import chart
from lessons.workshop.measure.processes import ProjectCopy, project_copy
from lessons.workshop.measure.report import Column, Options, Report, text_table

PEER = "pytest, from cold"
COLUMNS = [
    Column("what", "<28"),
    Column("median_ms", ">9", "median", "ms", ".0f"),
    Column("min_ms", ">9", "min", "ms", ".0f"),
    Column("max_ms", ">9", "max", "ms", ".0f"),
    Column("ratio", ">8", "ratio", "", ".2f"),
]


def run(options: Options) -> Report:
    lesson = lesson_index.find(options.lesson or "3")
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

    "save to claims" starts when the right exercise is written and ends when the judge process has
    reported the claims; "save to verdict" ends after the generated conversations. A lesson about
    tests does not have these, so both are the same there. "save to a red verdict" is measured with
    the unchanged exercise. The other kinds are whole processes; "to the claims" ends when the
    first claim is printed.
    """
    times: dict[str, list[float]] = defaultdict(list)
    with project_copy() as project:
        exercise = project.folder / lesson.exercise.relative_to(PROJECT_DIR)
        proofs = str(lesson.tests.relative_to(PROJECT_DIR))
        right, wrong = lesson.solution.read_text("utf-8"), lesson.original.read_text("utf-8")
        exercise.parent.mkdir(exist_ok=True)
        exercise.write_text(wrong, encoding="utf-8")
        own = ("manage.py", "lesson", "check", lesson.slug, "--target", "solution")
        kinds = {
            PEER: lambda: project.run("-m", "pytest", "-q", proofs),
            "lesson check, to the claims": lambda: _read_line(project, own),
            "lesson check, whole": lambda: project.run(*own),
        }
        for run_kind in kinds.values():
            run_kind()  # warms the disk cache and writes the bytecode
        with _Judge(project, lesson) as judge:
            for number in range(rounds):
                for kind, run_kind in kinds.items():
                    times[kind].append(_milliseconds(run_kind))
                saved = judge.times_after(exercise, f"{right}\n# {number}\n")
                times["save to claims"].append(saved.get("claims", saved["verdict"]))
                times["save to verdict"].append(saved["verdict"])
                saved = judge.times_after(exercise, wrong)
                times["save to a red verdict"].append(saved["verdict"])
    return dict(times)


class _Judge:
    """The judge process of a project, which judges each save."""

    def __init__(self, project: ProjectCopy, lesson: Lesson):
        self._lesson = lesson
        self._process = project.start("-u", "-c", _PRINT_MESSAGES, lesson.key)

    def __enter__(self):
        self._until("verdict")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate()

    def times_after(self, exercise: Path, text: str) -> dict[str, float]:
        """Save the exercise. Returns the milliseconds until each kind of report."""
        started = time.perf_counter()
        exercise.write_text(text, encoding="utf-8")
        return {kind: (at - started) * 1000 for kind, at in self._until("verdict").items()}

    def _until(self, last: str) -> dict[str, float]:
        times = {}
        for line in self._process.stdout:
            times[line.strip()] = time.perf_counter()
            if line.strip() == last:
                return times
        raise RuntimeError("the judge ended before its verdict")


# Judges as the judge process does, and prints the kind of each report.
_PRINT_MESSAGES = """
import sys, time
from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge
from lessons.workshop.course.lesson_index import find

def report(message):
    for kind in ("claims", "verdict", "fault"):
        if kind in message:
            print(kind, flush=True)

lesson = find(sys.argv[1])
judge = ExerciseJudge([lesson], report)
judge.watched = {lesson.key}
judge.request(lesson.key)
while True:
    judge.look()
    time.sleep(judge.interval)
"""


def _read_line(project: ProjectCopy, command: tuple[str, ...]) -> None:
    """Start the command and return once it has printed a line; then it is ended."""
    process = project.start("-u", *command)
    process.stdout.readline()
    process.terminate()
    process.communicate()


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
