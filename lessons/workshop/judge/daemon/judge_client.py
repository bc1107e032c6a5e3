"""Keeps a judge process running, and reads what it reports.

The judge of a clone and its clients share the folder .workshop:

    judge.lock          the judge holds this lock while it runs, so there is one for each clone
    reports/03-stop     the judge's last report on a lesson: see exercise_watcher
    progress.json       the verdicts

Each client starts a judge process. The first one judges. Another one takes its place when it ends.
So no client waits for another one, and only the user's files are trusted.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from lessons.workshop.course import lesson_index
from lessons.workshop.student import progress

RESTART_PAUSE = 1.0  # seconds before a judge that has ended is replaced
_KEEPER_INTERVAL = 0.25  # seconds between two looks at the judge


class JudgeKeeper:
    """Keeps a judge process of this client running within its block, in a thread.

    A student's page then has verdicts, also while the reloader restarts the server.
    """

    def __init__(self, warn: Callable[[str], object] = lambda text: None):
        self._warn = warn
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="judge keeper", daemon=True)

    def __enter__(self):
        self._start()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        self.process.terminate()
        self.process.wait()

    def _start(self) -> None:
        # In its own session: Ctrl-C in this terminal must not reach it.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lessons.workshop.judge.daemon.judge_daemon"],
            cwd=lesson_index.PROJECT_DIR,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # each set of texts has the same order
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _keep(self) -> None:
        while not self._is_over.wait(_KEEPER_INTERVAL):
            if self.process.poll() is not None:
                self._warn("The judge process has ended. A new one starts.")
                if not self._is_over.wait(RESTART_PAUSE):
                    self._start()


def read_report(file: Path) -> dict:
    """A report, or {}."""
    with suppress(OSError, ValueError):
        return json.loads(file.read_bytes())
    return {}


def is_running() -> bool:
    """Whether a judge holds the lock. Raises OSError if the lock file cannot be written."""
    lock = acquire_lock()
    if lock:
        lock.close()
    return lock is None


def acquire_lock() -> IO | None:
    """The judge's lock, released when its holder ends; None if another judge has it."""
    return progress.try_lock("judge.lock")


def reports() -> Path:
    """The folder of the reports."""
    return progress.state_dir() / "reports"


def report_file(key: str) -> Path:
    return reports() / key
