"""Runs `manage.py workshop` and `manage.py room` as a user does, in a copy of the project."""

import json
import os
import re
import signal
import urllib.error
import urllib.request
from contextlib import contextmanager

from lessons.workshop.course.lesson_index import find
from tests.support.exercise_files import save
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


class Command(RunningProgram):
    """`manage.py WORDS` in its own process group, as in a terminal."""

    def __init__(self, project, *words):
        super().__init__(*words)
        self.project, self.folder = project, project.folder

    def start(self):
        return self.project.start("manage.py", *self.command, session=True)

    def interrupt(self) -> int:
        """Press Ctrl-C. Returns the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(TEST_TIMEOUT)


class Workshop(Command):
    """The workshop at any free port."""

    def __init__(self, project, *options):
        super().__init__(project, "workshop", "--port", "0", *options)

    def wait_until_ready(self):
        self.address = self.wait_for_line("Workshop ready at ").rstrip("/")

    def start_again(self, *options):
        self.command = ["workshop", "--port", "0", *options]
        self.__enter__()

    def stop(self):
        """Wait for the judge too: it has inherited the pipe, and ends a second later."""
        self.__exit__()

    def exercise(self, slug):
        return Exercise(self.folder, find(slug))


class Exercise:
    """The student's file of one lesson, with the texts that the course has for it."""

    def __init__(self, folder, lesson):
        self.file = folder / "work" / f"{lesson.folder.name}.py"
        self.original = lesson.original.read_text(encoding="utf-8")
        self.solved = lesson.solution.read_text(encoding="utf-8")

    def save(self, text):
        save(self.file, text)


@contextmanager
def workshop_copy(*options, **environment):
    """A Workshop in a copy of the project, with these options and environment variables."""
    with project_copy() as project:
        project.environment.update(environment)
        with Workshop(project, *options) as workshop:
            yield workshop


class RunningRoom(Command):
    """The room with these arguments, until the block ends."""

    def __init__(self, project, *arguments):
        super().__init__(project, "room", "--port", "0", *arguments)

    def wait_until_ready(self):
        self.url = self.wait_for_line("Room ready at ").removesuffix("/room/")

    @property
    def password(self) -> str:
        """Of the account `instructor`."""
        return re.search(r"password (\w+)\.", self.output)[1]

    @property
    def code(self) -> str:
        return re.search(r", code (\S+)", self.output)[1]

    def ask(self, path, body=None) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)
        try:
            answer = urllib.request.urlopen(request, timeout=TEST_TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read()
