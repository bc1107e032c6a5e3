"""Keeps a judge beside the server: the process that judges exercises when they are saved."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


@contextmanager
def judge_beside() -> Iterator[None]:
    """Within the block a judge is at work, and it is gone after it, or if this process is killed.

    In a session of its own: Ctrl-C is for the server, and a judge in the midst of its start would
    answer with a traceback.
    """
    judge = subprocess.Popen(
        [sys.executable, "-m", "lessons.judge.judge_daemon", str(os.getpid())],
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    try:
        yield
    finally:
        judge.terminate()
        judge.wait()
