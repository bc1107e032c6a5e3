"""Mutants of a model: each must find something wrong in what the solution does."""

from lessons.workshop.authoring.model_mutants import (
    run_model_mutants,
)

CHECK = '''\
from lessons.workshop.judge import Model

END = "bye"
UNUSED = "unused"


class LampModel(Model):
    explores = False

    @classmethod
    def frame_of(cls, text):
        return frames(text)[0]

    def receive(self, client, text, data):
        client.replies = 1
        if len(text) > 9:
            client.send("long", lane="own")
        elif text == END:
            client.close()
        else:
            client.send(text)

    def diagnose(self, difference):
        return UNUSED if self.clients[1].replies == 1 else None


def frames(*texts):
    return [*texts]


def test_answers(play):
    """answers"""
    play("connect | text on | text bye")
'''


def test_a_mutant_that_no_conversation_shows_is_not_caught(lesson):
    lesson.check.write_text(CHECK)
    runs = {run.mutant.name: run.caught for run in run_model_mutants(lesson)}
    assert runs.pop("END: 'bye' becomes 'byex'")
    assert [name for name, is_caught in runs.items() if not is_caught] == [
        "LampModel.receive: drop client.send('long', lane='own')",
        "LampModel.receive: 9 becomes 10",
        "LampModel.receive: 'long' becomes 'longx'",
    ]
