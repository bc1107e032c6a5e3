"""Gives an order to program.py, which runs in a process without the room's secrets."""

import json
import os
import subprocess
import sys
from functools import lru_cache

from lessons.workshop.course.lesson_index import PROJECT_DIR, Lesson

QUESTION_TIMEOUT = 60.0  # seconds; it takes about two
# The worker gets none of the room's secrets, and has the settings of a workshop.
_WITHHELD = ("DJANGO_", "DATABASE_URL", "REDIS_URL")


class WorkerFailed(Exception):
    """The worker ended without an answer, or took too long. The text is for the instructor."""


def run_worker(order: dict, timeout: float) -> dict:
    """The answer of a new worker to one order. It blocks: never call it in the event loop."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)
    }
    try:
        run = subprocess.run(
            [sys.executable, "-m", "lessons.workshop.room.worker.program"],
            input=json.dumps(order).encode(),
            capture_output=True,
            cwd=PROJECT_DIR,
            env=environment,
            timeout=timeout,
            check=False,
        )
        return json.loads(run.stdout)
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"The worker has not ended after {timeout:g} s.") from None
    except OSError as error:
        raise WorkerFailed(f"The worker did not start: {error.strerror}.") from None
    except ValueError:
        lines = run.stderr.decode(errors="replace").strip().splitlines()
        raise WorkerFailed(f"The worker failed: {(lines or ['it printed nothing'])[-1]}") from None


def read_question(lesson: Lesson, number: int, answers: list[str] | tuple = ()) -> dict:
    """A question of a poll, as question_json() describes it. Raises WorkerFailed."""
    return _read_question(lesson.key, number, tuple(sorted(set(answers))), _saved(lesson))


@lru_cache(maxsize=64)
def _read_question(key: str, number: int, answers: tuple[str, ...], saved: int) -> dict:
    order = {"order": "question", "lesson": key, "number": number, "answers": answers}
    return run_worker(order, QUESTION_TIMEOUT)


def _saved(lesson: Lesson) -> int:
    return lesson.predictions.stat().st_mtime_ns
