"""A page compares a mistake with the solution."""

import json

import pytest

from lessons.workshop.course.lesson_index import Lesson, find
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.judge.study.compared_mistake import (
    compare,
    find_comparison,
    find_first_difference,
)

pytestmark = pytest.mark.django_db

# In its first conversation, no client sees the name of the group. In its second, the lamp repeats.
GROUP_LESSON = """\
---
demo: sync_demo.consumers.Echo
path: /ws/lamp/
exercise: Lamp(AsyncConsumer)
---
# A lamp

```transcript solution | connect
```

```transcript solution | connect | text on
```
"""

GROUP_LAMP = """\
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Lamp(AsyncConsumer):
    group = "lamps"

    async def websocket_connect(self, event):
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer
"""

GROUP_MISTAKES = f"""\
{GROUP_LAMP}

class JoinsAnotherGroup(Lamp):
    diagnosis = "wrong-group-name"
    group = "bells"


class JoinsAnotherGroupAndShouts(JoinsAnotherGroup):
    diagnosis = "reply-differs"

    async def websocket_receive(self, event):
        await self.send({{"type": "websocket.send", "text": event["text"].upper()}})
"""


@pytest.fixture
def ask(client, own_feed):
    """`ask("stop", mistake=...)`: the answer to a page of this session."""

    def get(slug, **parameters):
        path = f"/lessons/{find(slug).key}/compare/"
        return client.get(path, {"feed": own_feed, **parameters}).json()

    return get


def written(steps):
    return [step["step"] for step in steps]


def types(side):
    return [event["message"]["type"] for event in side["events"]]


def test_shows_the_first_difference_with_the_diagnosis(ask):
    answer = ask("stop", mistake="StopsWithoutAClose")
    assert written(answer["steps"]) == ["connect", "text 7"]
    assert answer["differs"] == {"right": 5, "wrong": 5}
    assert types(answer["right"])[5:] == ["websocket.close", "websocket.disconnect", "finished"]
    assert types(answer["wrong"])[5:] == ["finished"]
    assert answer["diagnosis"]["title"] == "The consumer stopped, and the socket stayed open"


@pytest.fixture
def group_lesson(tmp_path):
    """A lesson whose mistakes differ from the solution in a group, and one also in a frame."""
    folder = tmp_path / "01_lamp"
    folder.mkdir()
    (folder / "lesson.md").write_text(GROUP_LESSON)
    (folder / "solution.py").write_text(GROUP_LAMP)
    (folder / "mistakes.py").write_text(GROUP_MISTAKES)
    return Lesson(folder)


def test_prefers_a_visible_difference_to_an_earlier_hidden_one(group_lesson):
    _, shouts = read_mistakes(group_lesson)
    hidden = compare(group_lesson, shouts, ("connect",))
    assert hidden.difference
    assert not hidden.is_visible_to_client
    found = find_comparison(group_lesson, shouts)
    assert found.steps == ("connect", "text on")
    assert found.is_visible_to_client


def test_shows_the_first_hidden_difference_if_none_is_visible(group_lesson):
    joins, _ = read_mistakes(group_lesson)
    found = find_comparison(group_lesson, joins)
    assert found.steps == ("connect",)
    assert not found.is_visible_to_client


def test_plays_the_conversation_of_the_claim_if_none_of_the_lesson_differs(ask):
    answer = ask("stop", mistake="CountsForEveryone")
    clients = ["connect", "2 connect"]
    assert written(answer["steps"]) == [*clients, "text 5", "2 text 5", "text 5"]
    assert answer["claim"]
    assert answer["differs"]


def test_a_recording_that_was_json_does_not_differ_from_itself():
    headers = [(b"sec-websocket-protocol", b"weather.celsius")]
    scope = {"type": "scope", "headers": headers, "client": ("127.0.0.1", 50001)}
    event = Event(1, 0.0, "consumer", "mark", scope, "main", None, "a")
    copy = Event.from_json(json.loads(json.dumps(event.as_json())))
    assert copy.message != scope  # JSON has no tuples
    assert find_first_difference([event], [copy]) is None
