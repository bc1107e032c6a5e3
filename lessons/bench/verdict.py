"""`bench verdict`: how long a student waits, beside plain pytest on the same checks."""

import time
from statistics import median

from lessons.bench.copy import ProjectCopy, project_copy
from lessons.core.catalogue import PROJECT_DIR, Lesson

PEER = "pytest, from cold"


def measure(lesson: Lesson, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round, by what was measured; the kinds take turns.

    "save to verdict" runs from the moment the exercise is saved to the moment the last line of
    the verdict has come out of `lesson watch`; the others are whole processes, start to exit.
    """
    times: dict[str, list[float]] = {}
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
        for run in kinds.values():
            run()  # warms the disk cache and writes the bytecode
        with _Watch(project, lesson) as watch:
            for number in range(rounds):
                for kind, run in kinds.items():
                    times.setdefault(kind, []).append(_milliseconds(run))
                text = versions[number % 2]
                elapsed = _milliseconds(lambda text=text: watch.save(exercise, text))
                times.setdefault("save to verdict", []).append(elapsed)
    return times


class _Watch:
    """A running `lesson watch`."""

    def __init__(self, project: ProjectCopy, lesson: Lesson):
        self._process = project.start("-u", "manage.py", "lesson", "watch", lesson.slug)

    def __enter__(self):
        self._read_verdict()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.communicate()

    def save(self, file, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        self._read_verdict()

    def _read_verdict(self) -> None:
        for line in self._process.stdout:
            if line.startswith("Watching "):
                return
        raise RuntimeError("lesson watch ended before its verdict")


def _milliseconds(run) -> float:
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def table(times: dict[str, list[float]]) -> list[dict]:
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


def text_of(rows: list[dict]) -> str:
    """All figures, as lines of text."""
    lines = [f"{'':<28}{'median':>9}{'min':>9}{'max':>9}{'ratio':>8}"]
    lines += [
        f"{row['what']:<28}{row['median_ms']:>6.0f} ms{row['min_ms']:>6.0f} ms"
        f"{row['max_ms']:>6.0f} ms{row['ratio']:>8.2f}"
        for row in rows
    ]
    return "\n".join(lines)
