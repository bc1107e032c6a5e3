"""A conversation in words."""

import pytest

from lessons.workshop.engine.script.action import ACTIONS
from lessons.workshop.page import step_words
from lessons.workshop.page.step_words import conversation_json

TOLD = {
    "connect ?name=ada | text milk | close 1001": (
        "the client connects with ?name=ada, sends “milk”, closes with 1001"
    ),
    "connect | 2 connect | 2 text  | vanish": (
        "client 1 connects, client 2 connects, sends an empty text, client 1 loses the connection"
    ),
    'row auth.Group {"name": "a"} | row auth.Group {"name": "b"} | connect '
    '| row auth.Group {"name": "c"} | kill': (
        '2 rows are saved, the client connects, a row of auth.Group is saved: {"name": "c"}, '
        "the consumer is cancelled by the server"
    ),
    "connect | & text a | at 3 2 text b": (
        "client 1 connects, at the same time client 1 sends “a”, "
        "while another is served, client 2 sends “b”"
    ),
    'call put_up [1, "Tea"] | wait 0.5': 'another process calls put_up(1, "Tea"), 0.5 s pass',
}


@pytest.mark.parametrize(("conversation", "words"), TOLD.items())
def test_a_conversation_is_told_without_the_grammar_of_its_steps(conversation, words):
    steps = [part.removeprefix(" ") for part in conversation.split(" |")]
    assert conversation_json(steps)["words"] == words


def test_each_action_has_words():
    tables = (step_words._CLIENT, step_words._CONSUMER, step_words._OUTSIDE)
    told = {*step_words.UNSEEN, *(name for table in tables for name in table)}
    assert {kind.name for kind in ACTIONS.values()} - told == set()
