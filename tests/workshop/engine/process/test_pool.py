"""Several players share the conversations of one subject."""

from pathlib import Path

from lessons.workshop.engine.process import pool
from lessons.workshop.engine.process.player_handle import Request
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script.steps import parse_step
from lessons.workshop.engine.subject import Subject

SAYS_ITS_PROCESS = """\
import os
from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer

class Talker(SyncConsumer):
    def websocket_connect(self, event):
        print(os.getpid(), end="")
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        pass

    def websocket_disconnect(self, event):
        raise StopConsumer
"""


def test_one_player_plays_all_others_while_another_one_plays_a_long_conversation(monkeypatch):
    monkeypatch.setattr(pool, "PROCESSES", 2)
    subject = Subject("talker", Path("talker.py"), "Talker", source=SAYS_ITS_PROCESS)
    frames = (100, 1, 1, 1, 100, 1)
    texts = [["connect", *["text " + "long" * 20] * number, "close"] for number in frames]
    requests = [Request([*map(parse_step, steps)]) for steps in texts]
    waiting = iter(requests)

    with PlayerPool(subject) as players:
        played = [*players.play_all(lambda: next(waiting, None))]

    assert played == requests
    one, other, *rest = [request.answer.output for request in played]
    assert one != other
    assert rest == [other, other, other, one]
