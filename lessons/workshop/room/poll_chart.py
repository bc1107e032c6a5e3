"""The answers to a question of the class, as HTML: for each answer a bar in each round."""

import re
from collections.abc import Callable
from string import ascii_uppercase
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from lessons.workshop.judge.study.predictions import Played
from lessons.workshop.member.protocol import Poll

MAX_ORDERS = 6  # all others share one bar
LETTERS = {str(number): letter for number, letter in enumerate(ascii_uppercase)}  # of the cards

Votes = dict[str, int]  # an answer as a page sends it → how many students gave it


class Cell(NamedTuple):
    bars: list[tuple[int, int]]  # for each round, how many of how many students
    is_right: bool | None = None


def chart(poll: Poll, rounds: list[Votes], question: Played | None = None) -> SafeString:
    """While students vote, what one can answer: the votes would show the class what to answer.

    A question that the instructor wrote has no `question` of a lesson.
    """
    rounds = [] if poll.state == "open" else rounds
    if question is None:
        rows = [(one, [Cell(bars(rounds, one.__eq__))]) for one in poll.options]
        table = {"options": poll.options, "rows": rows}
    elif question.kind == "receives":
        table = _receivers(question, rounds)
    else:
        table = _orders(question, rounds)
    context = {**table, "has_votes": bool(rounds), "is_shown": poll.state == "shown"}
    return render_to_string("room/poll_chart.html", context)


def bars(rounds: list[Votes], is_counted: Callable[[str], bool]) -> list[tuple[int, int]]:
    """For each round, how many students gave an answer that is counted, and how many gave any."""
    return [
        (sum(votes[one] for one in filter(is_counted, votes)), sum(votes.values()))
        for votes in rounds
    ]


def _receivers(question: Played, rounds: list[Votes]) -> dict:
    """A row for each frame, a column for each client. An answer has the boxes that were ticked."""

    def cell(tick: str) -> Cell:
        return Cell(bars(rounds, lambda one: tick in one.split()), tick in question.right_ticks)

    clients = question.clients
    names = [f"client {client}" for client in clients] if len(clients) > 1 else ["arrives"]
    rows = [
        (card.label, [cell(f"{client}:{number}") for client in clients])
        for number, card in enumerate(question.shown)
    ]
    return {"head": ["What is sent", *names], "rows": rows, "is_code": True}


def _orders(question: Played, rounds: list[Votes]) -> dict:
    """A row for each order. Those with the most votes in the last round come first."""
    last = rounds[-1] if rounds else {}
    found = sorted(set().union(*rounds), key=lambda one: (-last.get(one, 0), one))
    shown, others = found[:MAX_ORDERS], found[MAX_ORDERS:]
    rows = []
    for one in shown:
        is_right = question.is_right(*map(str.split, one.split("|", 1)))
        rows.append((in_letters(one), [Cell(bars(rounds, one.__eq__), is_right)]))
    if others:
        rows.append(("other orders", [Cell(bars(rounds, others.__contains__))]))
    legend = zip(ascii_uppercase, (card.label for card in question.shown), strict=False)
    return {"head": ["Order", "Votes"], "rows": rows, "legend": [*legend]}


def in_letters(order: str) -> str:
    """An order with a letter for each card: "B A C, never D"."""
    text = re.sub(r"[^\s|]+", lambda card: LETTERS.get(card[0], "?"), order)
    given, _, never = (part.strip() for part in text.partition("|"))
    return ", ".join(filter(None, (given, never and f"never {never}"))) or "nothing"
