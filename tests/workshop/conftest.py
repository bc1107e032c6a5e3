"""A lesson of the tests' own, so that they do not hang on what the course says."""

import pytest

from lessons.catalogue import Lesson
from lessons.checking import judge
from lessons.checking.target import Target

LESSON = """\
---
demo: sync_demo.consumers.Echo
path: /ws/lamp/
exercise: Lamp(SyncConsumer)
---
# A lamp
"""

CHECK = '''\
async def test_repeats_text(communicator):
    """repeats text"""
    client = communicator()
    await client.connect()
    await client.send_to(text_data="on")
    client.expect({"type": "websocket.send", "text": "on"})


async def test_closes_on_bye(communicator):
    """closes on "bye" """
    client = communicator()
    await client.connect()
    await client.send_to(text_data="bye")
    client.expect({"type": "websocket.close", "code": 1000})
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

ACCEPT = 'self.send({"type": "websocket.accept"})'


@pytest.fixture
def lesson(tmp_path) -> Lesson:
    """A whole lesson: a lamp that repeats text and closes on "bye"."""
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
        target = Target("exercise", file, "Lamp", "SyncConsumer", source)
        return judge(lesson, target, limit)

    return judge_it


@pytest.fixture
def accept():
    """The line with which the lamp accepts."""
    return ACCEPT
