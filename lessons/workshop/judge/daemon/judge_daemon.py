"""The judge process, which judges each exercise that a student saves; see judge_client.

    python -m lessons.workshop.judge.daemon.judge_daemon

It ends with the process that has started it. While another judge of this clone runs, it waits.
It has a single thread: it forks for each verdict, and a fork with threads is not safe.
"""

import os
import signal
import sys
import time

import psutil

from lessons.workshop.judge.daemon import judge_client

LOCK_INTERVAL = 0.05  # seconds between two attempts to become the judge
CLIENT_INTERVAL = 0.1  # seconds between two looks whether the client still runs


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # ends the child that is judging, too
    client = psutil.Process(os.getppid())
    while (lock := judge_client.acquire_lock()) is None:
        time.sleep(LOCK_INTERVAL)
        if not _is_running(client):
            return
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock.close)
    # Only now, because these imports take a second.
    from lessons.workshop.course.lesson_index import lessons
    from lessons.workshop.engine.process.player_handle import warm_up
    from lessons.workshop.engine.process.pool import PROCESSES
    from lessons.workshop.judge.daemon.exercise_watcher import INTERVAL, ExerciseJudge, save_report

    judge = ExerciseJudge(lessons(), save_report)
    judge.begin()
    next_look = 0.0
    while time.monotonic() < next_look or _is_running(client):
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + CLIENT_INTERVAL
        judge.look()
        warm_up(PROCESSES)
        time.sleep(INTERVAL)


def _is_running(client: psutil.Process) -> bool:
    # A process whose parent has ended gets another parent, but on Windows.
    return os.getppid() == client.pid and client.is_running()


if __name__ == "__main__":
    main()
