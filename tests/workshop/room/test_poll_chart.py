"""The chart of a question of the class."""

from types import SimpleNamespace

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.predictions import Card, predictions
from lessons.workshop.member.protocol import Poll
from lessons.workshop.room.poll_chart import (
    chart,
    frequent_orders,
    in_letters,
    is_right,
    ticked,
)


def test_each_box_is_counted_for_every_student_who_ticked_it_and_once_for_each():
    assert ticked({"1:0 2:0": 3, "2:0": 2, "1:0 1:0": 1}) == {"1:0": 4, "2:0": 5}
    assert ticked({}) == {}


def test_the_orders_of_the_last_round_come_first_and_later_ones_share_a_bar():
    last = {name: 10 - index for index, name in enumerate("abcdefg")}
    shown, rest = frequent_orders([{"h": 50, "a": 1}, last])
    assert [order for order, _ in shown] == ["a", "b", "c", "d", "e", "f"]
    assert (shown[0][1], rest) == ([1, 10], [50, 4])
    assert frequent_orders([]) == ([], [])


def test_an_order_is_told_in_letters():
    names = {"2": "A", "0": "B", "1": "C"}
    assert in_letters("0 2 | 1", names) == "B A, never C"
    assert (in_letters("9 x", names), in_letters(" | ", names)) == ("? ?", "nothing")


@pytest.mark.parametrize("order", ["", "x", "0 0", "9 | 1", "0 | 1 | 2"])
def test_an_order_that_is_none_is_wrong(order):
    assert not is_right(predictions(find("stop"))[0].played(find("stop")), order)


def test_votes_and_what_is_right_are_hidden_until_the_poll_is_shown():
    cards, clients = [Card("hi", None)], ["1", "2"]
    question = SimpleNamespace(kind="receives", shown=cards, clients=clients, right_ticks={"1:0"})
    votes = [{"1:0": 1, "2:0": 2}]
    shown = {
        state: chart(Poll(1, "Who?", lesson="group", state=state), votes, question)
        for state in ("open", "closed", "shown")
    }
    assert "client 2" in shown["open"]
    assert "%" not in shown["open"]
    assert "1 · 33 %" in shown["closed"]
    assert "✓" not in shown["closed"]
    assert (shown["shown"].count("✓"), shown["shown"].count("✗")) == (1, 1)


def test_an_answer_with_markup_is_text():
    poll = Poll(1, "Who?", ["<b>", "no"], state="closed")
    assert '<th scope="row">&lt;b&gt;</th>' in chart(poll, [{"<b>": 1}])
