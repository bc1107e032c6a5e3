"""Settings of the workshop that the browser tests visit, with their own progress and database."""

import os
import subprocess
import sys
from pathlib import Path

from lessons.settings import *  # noqa: F403
from lessons.settings import BASE_DIR, DATABASES
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.student import progress

JUDGE = f"import {__name__}; from lessons.workshop.judge.daemon.judge_daemon import main; main()"

STATE_DIR = Path(os.environ["WORKSHOP_STATE_DIR"])
DATABASES["default"]["NAME"] = STATE_DIR / "db.sqlite3"
progress.state_dir = lambda: STATE_DIR


def _start_judge() -> subprocess.Popen:
    """Start a judge that uses these settings from its first line on."""
    return subprocess.Popen(
        [sys.executable, "-c", JUDGE],
        cwd=BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


judge_client._start_judge = _start_judge
ASGI_APPLICATION = "tests.support.servers.browser_asgi.application"
