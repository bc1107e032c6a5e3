"""Mutants: each is one small change with a name, which a check or a test must catch."""

import pytest

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
