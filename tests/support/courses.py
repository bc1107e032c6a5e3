"""Lessons for tests, so that tests do not depend on the texts of the course."""

import compileall
import shutil

import pytest

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge import judge
from lessons.workshop.student import exercise_copies

LESSON = """\
---
demo: sync_demo.consumers.Echo
path: /ws/lamp/
exercise: Lamp(SyncConsumer)
goal: Answer a frame.
minutes: 15
---
# A lamp
"""

CHECK = '''\
from lessons.workshop.judge import Model


class LampModel(Model):
    explores = False  # the tests of conversations have their own lessons

    def receive(self, client, text, data):
        """Text comes back, and "bye" closes"""
        if text == "bye":
            client.close()
        else:
            client.send(text)


def test_repeats_text(play):
    """repeats text"""
    play("connect | text on")


def test_closes_on_bye(play):
    """closes on "bye" """
    play("connect | text bye")
'''

LAMP = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Lamp(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        if event["text"] == "bye":
            self.send({"type": "websocket.close"})
        else:
            self.send({"type": "websocket.send", "text": event["text"]})

    def websocket_disconnect(self, event):
        raise StopConsumer
"""

# The line in which the lamp accepts the connection.
ACCEPT = 'self.send({"type": "websocket.accept"})'


@pytest.fixture
def lesson(tmp_path) -> Lesson:
    """A whole lesson about a lamp that repeats text and closes on "bye"."""
    folder = tmp_path / "01_lamp"
    folder.mkdir()
    for name, text in (("lesson.md", LESSON), ("check.py", CHECK), ("solution.py", LAMP)):
        (folder / name).write_text(text)
    return Lesson(folder)


@pytest.fixture
def judge_lamp(lesson):
    """`judge_lamp(old, new)`: the verdict on the lamp with `old` replaced by `new`."""

    def judge_it(old="", new="", limit=10.0):
        assert old in LAMP
        source = LAMP.replace(old, new) if old else LAMP
        file = lesson.folder / "exercise.py"
        target = Subject("exercise", file, "Lamp", "SyncConsumer", source)
        return judge(lesson, target, limit)

    return judge_it


DARK_LAMP = """\
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Lamp(SyncConsumer):
    def websocket_connect(self, event):
        pass  # TODO: accept

    def websocket_receive(self, event):
        pass  # TODO: repeat text, close on "bye"

    def websocket_disconnect(self, event):
        raise StopConsumer
"""

MISTAKES = f"""\
{LAMP}

class AlwaysRepeats(Lamp):
    \"\"\"Handles "bye" like any other text.\"\"\"

    diagnosis = "reply-differs"

    def websocket_receive(self, event):
        self.send({{"type": "websocket.send", "text": event["text"]}})
"""

HINTS = """\
## Where
Begin with `websocket_connect`.

## What
Send `websocket.accept`.

## Nearly all
`self.send({"type": "websocket.accept"})`
"""

PREDICT = """\
[[prediction]]
question = "What comes of `on`?"
because = "It comes back."
steps = ["connect", "text on"]
kind = "order"

[[prediction]]
question = "Who hears it?"
because = "Each has a lamp."
steps = ["connect", "2 connect", "text on"]
kind = "receives"
"""

COURSE_FILES = {
    "lesson.md": LESSON,
    "predict.toml": PREDICT,
    "exercise.py": DARK_LAMP,
    "solution.py": LAMP,
    "mistakes.py": MISTAKES,
    "check.py": CHECK,
    "hints.md": HINTS,
}


LESSONS = ("01_lamp", "02_bell", "03_buzzer")


def write_course(folder):
    """Write three lessons with the same exercise, the lamp: 1 lamp, 2 bell, 3 buzzer."""
    for name in LESSONS:
        (folder / name).mkdir(parents=True)
        for file_name, text in COURSE_FILES.items():
            (folder / name / file_name).write_text(text)


@pytest.fixture
def fresh_course(tmp_path, monkeypatch):
    """Lessons that no command has seen yet; not the real ones, and not the real progress."""
    monkeypatch.setattr(lesson_index, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(lesson_index, "COURSE_DIR", tmp_path / "lessons")
    write_course(lesson_index.COURSE_DIR)
    lesson_index.lessons.cache_clear()
    yield lesson_index.lessons()
    lesson_index.lessons.cache_clear()


@pytest.fixture
def course(fresh_course):
    """The lessons of a student who has just started, with a copy of each exercise."""
    assert exercise_copies.create_copies() == []
    return fresh_course


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A copy of the whole project with these lessons. It is compiled once for all its copies."""
    folder = tmp_path_factory.mktemp("compiled") / "project"
    skipped = shutil.ignore_patterns(
        *(".*", "__pycache__", "tests", "[0-9][0-9]_*", "measure", "static")
    )
    shutil.copytree(lesson_index.PROJECT_DIR, folder, ignore=skipped)
    compileall.compile_dir(folder, quiet=1)
    write_course(folder / "lessons")
    return folder


@pytest.fixture
def project(compiled, tmp_path):
    """The same lessons in a copy of the whole project, where a test can run `manage.py`."""
    return shutil.copytree(compiled, tmp_path / "project")
