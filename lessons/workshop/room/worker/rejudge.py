"""Judges students' code again, for an instructor: in worker processes, never in the server's.

A queue gives each worker one order at a time. One core stays free for the server. What was judged
is kept until the server ends: a verdict on the same code never varies.
"""

import hashlib
import os
import threading
from collections import OrderedDict
from queue import SimpleQueue

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.grading.submission import JUDGE_FAILED, NOT_JUDGED, TOTAL_TIME
from lessons.workshop.room.worker.orders import WorkerFailed, run_worker

WORKERS = max(1, (os.cpu_count() or 1) - 1)
TIMEOUT = TOTAL_TIME + 60.0  # seconds, for the start, the sandbox and the solution
MAX_WAITING = 50
MAX_KEPT = 200  # jobs

WAITING, JUDGING, DONE = "waiting", "judging", "done"


class QueueFull(Exception):
    """Too much code is waiting to be judged."""


class Job:
    """Code to judge. `answer` is what program.judge_code() describes, once `state` is DONE."""

    def __init__(self, lesson: Lesson, code: str):
        self.order = {"order": "judge", "lesson": lesson.key, "code": code}
        self.state = WAITING
        self.answer: dict = {}

    def run(self) -> None:
        self.state = JUDGING
        try:
            self.answer = run_worker(self.order, TIMEOUT)
        except WorkerFailed as error:
            self.answer = {"state": NOT_JUDGED, "reason": JUDGE_FAILED, "detail": str(error)}
        self.order, self.state = {}, DONE


class RejudgeQueue:
    """The jobs of this server. Threads wait for the workers, and end with the server."""

    def __init__(self, workers: int = WORKERS):
        self._workers = workers
        self._jobs: OrderedDict[tuple, Job] = OrderedDict()
        self._waiting: SimpleQueue[Job] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def ask(self, lesson: Lesson, code: str) -> Job:
        """Have the code judged, unless there is a verdict on it. Raises QueueFull."""
        with self._lock:
            key = _key(lesson, code)
            job = self._jobs.get(key)
            if job is None or job.answer.get("state") == NOT_JUDGED:
                if sum(one.state == WAITING for one in self._jobs.values()) >= MAX_WAITING:
                    raise QueueFull(f"{MAX_WAITING} exercises are waiting. Try again later.")
                job = self._jobs[key] = Job(lesson, code)
                self._waiting.put(job)
                self._start_thread()
            self._jobs.move_to_end(key)
            self._forget_old_ones()
        return job

    def find(self, lesson: Lesson, code: str) -> Job | None:
        """The job for this code, if an instructor has asked for it."""
        return self._jobs.get(_key(lesson, code))

    def _start_thread(self) -> None:
        if len(self._threads) < self._workers:
            self._threads.append(threading.Thread(target=self._work, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        while True:
            self._waiting.get().run()

    def _forget_old_ones(self) -> None:
        done = [key for key, job in self._jobs.items() if job.state == DONE]
        for key in done[: max(0, len(self._jobs) - MAX_KEPT)]:
            del self._jobs[key]


def _key(lesson: Lesson, code: str) -> tuple[str, str]:
    return lesson.key, hashlib.sha256(code.encode(errors="replace")).hexdigest()


queue = RejudgeQueue()
