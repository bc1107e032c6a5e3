"""Runs `manage.py workshop` and `manage.py room` as a user does, in a copy of the project."""

import json
import os
import re
import signal
import urllib.error
import urllib.request
from contextlib import contextmanager

from lessons.workshop.course.lesson_index import find
from tests.support.modes import NAMES
from tests.support.programs import processes
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


class Command(RunningProgram):
    """`manage.py WORDS` in its own process group, as in a terminal."""

    def __init__(self, folder, *words, environment=None):
        super().__init__(*words)
        self.folder, self.environment = folder, environment

    def start(self):
        words = ["manage.py", *self.command]
        place = {"cwd": self.folder, "env": self.environment, "session": True}
        return processes.start_with_pipe(words, **place)

    def interrupt(self) -> int:
        """Press Ctrl-C. Returns the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(TEST_TIMEOUT)


class Workshop(Command):
    """The workshop at any free port."""

    def __init__(self, folder, *options, **place):
        super().__init__(folder, "workshop", "--port", "0", *options, **place)

    def wait_until_ready(self):
        self.address = self.wait_for_line("Workshop ready at ").rstrip("/")

    def start_again(self, *options):
        self.command = ["workshop", "--port", "0", *options]
        self.__enter__()

    def stop(self):
        """Wait for the judge too: it has inherited the pipe, and ends a second later."""
        self.__exit__()

    def kill(self):
        """End the workshop without a chance to clean up."""
        self.process.kill()
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
        """As an editor that saves by renaming."""
        new = self.file.with_name("exercise.py~")
        new.write_text(text, encoding="utf-8")
        new.rename(self.file)


@contextmanager
def workshop_copy(*options, **environment):
    """A Workshop in a copy of the project, with these options and environment variables."""
    with project_copy() as project:
        project.environment.update(PYTHONUNBUFFERED="1", **environment)
        with Workshop(project.folder, *options, environment=project.environment) as workshop:
            workshop.project = project
            yield workshop


@contextmanager
def room_clone():
    """A fresh clone, without any variable that changes the mode."""
    with project_copy() as project:
        for name in NAMES:
            project.environment.pop(name, None)
        project.environment["PYTHONUNBUFFERED"] = "1"
        yield project


class RunningRoom(Command):
    """The room with these arguments, until the block ends."""

    def __init__(self, clone, *arguments):
        place = {"environment": clone.environment}
        super().__init__(clone.folder, "room", "--port", "0", *arguments, **place)

    def wait_until_ready(self):
        self.url = self.wait_for_line("Room ready at ").removesuffix("/room/")

    @property
    def password(self) -> str:
        """Of the account `instructor`."""
        return re.search(r"password (\w+)\.", self.output)[1]

    @property
    def code(self) -> str:
        return re.search(r"code (\S+)\.", self.output)[1]

    def ask(self, path, body=None, context=None) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data)
        try:
            answer = urllib.request.urlopen(request, timeout=TEST_TIMEOUT, context=context)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read()
