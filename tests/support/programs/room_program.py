"""Runs `manage.py room` as an instructor does, in a copy of the project."""

import json
import re
import urllib.error
import urllib.request
from contextlib import contextmanager

from lessons.workshop.measure.processes import project_copy
from tests.support.modes import NAMES
from tests.support.programs import processes
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram


@contextmanager
def room_clone():
    """A fresh clone, without any variable that changes the mode."""
    with project_copy() as project:
        for name in NAMES:
            project.environment.pop(name, None)
        project.environment["PYTHONUNBUFFERED"] = "1"
        yield project


class RunningRoom(RunningProgram):
    """The command with these arguments, until the block ends."""

    def __init__(self, clone, *arguments, **environment):
        super().__init__("room", "--port", "0", *arguments)
        self.clone, self.environment = clone, {**clone.environment, **environment}

    def start(self):
        words = ["manage.py", *self.command]
        return processes.start_with_pipe(words, cwd=self.clone.folder, env=self.environment)

    def wait_until_ready(self):
        self.url = self.wait_for_line("Room ready at ").removesuffix("/room/")

    @property
    def password(self) -> str:
        """Of the account `instructor`."""
        return re.search(r"password (\w+)\.", "\n".join(self.lines))[1]

    @property
    def code(self) -> str:
        return re.search(r"code (\S+)\.", "\n".join(self.lines))[1]

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
