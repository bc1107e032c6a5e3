"""Runs pytest in a folder outside of this project, as a reader does who copied a file."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

MAX_SECONDS = 120  # for all tests of the folder


def run_pytest(folder: Path, *options: str, without: Iterable[str] = ()) -> str:
    """What pytest prints there, without these plugins. A warning fails a test."""
    plugins = [f"-pno:{plugin}" for plugin in without]
    names = [name for name in ("PATH", "HOME") if name in os.environ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *options, *plugins],
        cwd=folder,
        env={name: os.environ[name] for name in names} | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=MAX_SECONDS,
    )
    return done.stdout + done.stderr
