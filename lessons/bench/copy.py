"""A copy of the project to measure in, so that no student's exercise is touched."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lessons.core.catalogue import PROJECT_DIR


class ProjectCopy:
    """The project in a folder of its own; runs its manage.py and pytest as a student would."""

    def __init__(self, folder: Path):
        self.folder = folder
        # Bytecode is kept, as it is on a student's machine from the second run on.
        self.environment = {
            name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
        }

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start `python ARGUMENTS`; its output is a pipe of lines."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Run `python ARGUMENTS` to its end; its output. Raises RuntimeError when it is not 0."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
        return output


@contextmanager
def project_copy() -> Iterator[ProjectCopy]:
    """A fresh copy without the student's copies and hidden folders (git, state, environment)."""
    left_out = shutil.ignore_patterns(".*", "__pycache__", "work")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(PROJECT_DIR, copy, ignore=left_out)
        yield ProjectCopy(copy)
