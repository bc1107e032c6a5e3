"""Mutants: each is one small change with a name, which a check or a test must catch."""

import pytest

from lessons.workshop.authoring.mutant_runs import parts_of_demo
from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.mutants import mutants_of

SOURCE = '''\
class Lamp(AsyncConsumer):
    """A lamp."""

    async def websocket_receive(self, event):
        self.count = 1
        if event.get("text") == "on":
            await self.send({"type": "websocket.accept", "code": 4000})
        raise StopConsumer()


def other():
    return 1
'''


@pytest.fixture
def mutants():
    return {mutant.name: mutant for mutant in mutants_of(SOURCE, "Lamp")}


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("Lamp: drop async def websocket_receive(self, event):", "pass"),
        ("Lamp.websocket_receive: drop raise StopConsumer()", "pass"),
        ("Lamp.websocket_receive: self.count belongs to the class", "type(self).count = 1"),
        ("Lamp.websocket_receive: negate event.get('text') == 'on'", "if not event.get('text')"),
        ("Lamp.websocket_receive: event.get('text') finds nothing", "event.get('missing')"),
        ("Lamp.websocket_receive: 'text' becomes 'bytes'", "event.get('bytes')"),
        ("Lamp.websocket_receive: 4000 becomes 4001", "4001"),
        (
            "Lamp.websocket_receive: drop 'code' from {'type': 'websocket.accept', 'code': 4000}",
            "self.send({'type': 'websocket.accept'})",
        ),
        (
            "Lamp.websocket_receive: drop await of "
            "self.send({'type': 'websocket.accept', 'code': 4000})",
            "\n            self.send(",
        ),
    ],
)
def test_makes_each_kind_of_small_change(mutants, name, now):
    assert now in mutants[name].source


def test_every_mutant_compiles_and_changes_one_place_of_the_class(mutants):
    for mutant in mutants.values():
        compile(mutant.source, "mutant", "exec")
        assert "def other():\n    return 1" in mutant.source
        assert "A lamp." in mutant.source
    assert len({mutant.source for mutant in mutants.values()}) == len(mutants)
    assert mutants["Lamp.websocket_receive: 4000 becomes 4001"].line == 7


@pytest.mark.parametrize(
    ("lesson", "parts"),
    [
        ("logout", {"consumers": ["Account"], "signals": ["session_deleted"]}),
        ("chat", {"chat.raw": ["Chat", "ReplayChat"]}),
    ],
)
def test_the_mutants_of_a_demo_cover_what_runs_and_what_the_text_shows(lesson, parts):
    lesson = find(lesson)
    assert parts_of_demo(lesson) == {f"{lesson.app}.{name}": own for name, own in parts.items()}


@pytest.mark.parametrize(
    ("body", "is_made"),
    [
        ("self.count = 0", False),
        ("self.send({})\n        self.count = self.other = None", False),
        ("self.lines = []", True),
        ("if self.scope:\n            self.count = 0", True),
        ("if self.scope:\n            return\n        self.count = 0", True),
    ],
)
def test_a_value_that_each_connection_begins_with_may_be_shared(body, is_made):
    source = f"class Lamp:\n    def websocket_connect(self, event):\n        {body}\n"
    names = [mutant.name for mutant in mutants_of(source, "Lamp")]
    assert any(name.endswith("belongs to the class") for name in names) is is_made
