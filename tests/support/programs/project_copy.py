"""A copy of the project in its own folder, which runs manage.py and pytest as a student does."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lessons.workshop.course.lesson_index import PROJECT_DIR
from tests.support.modes import NAMES
from tests.support.programs.processes import start_with_pipe


class ProjectCopy:
    def __init__(self, folder: Path):
        self.folder = folder
        # Python keeps bytecode here, as it does on a student's machine from the second run on.
        left_out = {*NAMES, "PYTHONDONTWRITEBYTECODE"}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        self.environment = kept | {"PYTHONUNBUFFERED": "1"}

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """Start `python ARGUMENTS`. Its output is a pipe of lines."""
        return start_with_pipe(arguments, cwd=self.folder, env=self.environment, **options)

    def run(self, *arguments: str) -> str:
        """Run `python ARGUMENTS` and return its output. Any exit code but 0 raises RuntimeError."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
        return output


@contextmanager
def project_copy() -> Iterator[ProjectCopy]:
    """A fresh copy, until the block ends. It has no student's files, no git and no .venv.

    No variable of its environment changes the mode.
    """
    with tempfile.TemporaryDirectory() as temporary:
        left_out = shutil.ignore_patterns(".*", "__pycache__", "work")
        folder = shutil.copytree(PROJECT_DIR, Path(temporary) / "project", ignore=left_out)
        yield ProjectCopy(folder)
