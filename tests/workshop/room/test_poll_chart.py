"""The chart of a question of the class."""

from types import SimpleNamespace

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.predictions import Card, predictions
from lessons.workshop.member.protocol import Poll
from lessons.workshop.room.poll_chart import chart, in_letters

STOP = find("stop")


def shown_order(*rounds, state="shown"):
    """The chart of a question for the order of events."""
    poll = Poll(1, "Which order?", lesson="stop", state=state)
    return chart(poll, rounds, predictions(STOP)[0].played(STOP))


def shown_receivers(votes, state):
    cards, clients = [Card("hi", None)], ["1", "2"]
    question = SimpleNamespace(kind="receives", shown=cards, clients=clients, right_ticks={"1:0"})
    return chart(Poll(1, "Who?", lesson="group", state=state), [votes], question)


def test_each_box_is_counted_for_every_student_who_ticked_it_and_once_for_each():
    text = shown_receivers({"1:0 2:0": 3, "2:0": 2, "1:0 1:0": 1}, "closed")
    assert ("4 · 67 %" in text, "5 · 83 %" in text) == (True, True)


def test_the_orders_of_the_last_round_come_first_and_later_ones_share_a_bar():
    last = {str(card): 20 - card for card in range(7)}
    text = shown_order({"7": 50, "0": 1}, last)
    places = [text.index(f'row">{name}</th>') for name in [*"ABCDEF", "other orders"]]
    assert places == sorted(places)
    assert ('row">G<' in text, "50 · 98 %" in text, "14 · 12 %" in text) == (False, True, True)


def test_an_order_is_told_in_letters():
    assert in_letters("1 0 | 2") == "B A, never C"
    assert (in_letters("99 x"), in_letters(" | ")) == ("? ?", "nothing")


@pytest.mark.parametrize("order", ["", "x", "0 0", "9 | 1", "0 | 1 | 2"])
def test_an_order_that_is_none_is_wrong(order):
    assert "✗" in shown_order({order: 1})


def test_votes_and_what_is_right_are_hidden_until_the_poll_is_shown():
    shown = {it: shown_receivers({"1:0": 1, "2:0": 2}, it) for it in ("open", "closed", "shown")}
    assert "client 2" in shown["open"]
    assert "%" not in shown["open"]
    assert "1 · 33 %" in shown["closed"]
    assert "✓" not in shown["closed"]
    assert (shown["shown"].count("✓"), shown["shown"].count("✗")) == (1, 1)


def test_an_answer_with_markup_is_text():
    poll = Poll(1, "Who?", ["<b>", "no"], state="closed")
    assert '<th scope="row">&lt;b&gt;</th>' in chart(poll, [{"<b>": 1}])
