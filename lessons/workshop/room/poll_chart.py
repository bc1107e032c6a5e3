"""The answers to a question of the class, as HTML: for each answer a bar in each round."""

from collections import Counter
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from lessons.workshop.judge.study.predictions import Played
from lessons.workshop.member.protocol import Poll

MAX_ORDERS = 6  # all others share one bar

Votes = dict[str, int]  # an answer as vote_of() writes it → how many students gave it


class Bar(NamedTuple):
    count: int
    percent: int


class Cell(NamedTuple):
    bars: list[Bar]
    is_right: bool | None = None


def chart(poll: Poll, rounds: list[Votes], question: Played | None = None) -> SafeString:
    """While students vote, what one can answer: the votes would show the class what to answer.

    A question that the instructor wrote has no `question` of a lesson.
    """
    rounds = [] if poll.state == "open" else rounds
    if question is None:
        table = {"options": poll.options, "rows": _options(poll.options, rounds)}
    elif question.kind == "receives":
        table = _receivers(question, rounds)
    else:
        table = _orders(question, rounds)
    context = {**table, "has_votes": bool(rounds), "is_shown": poll.state == "shown"}
    return render_to_string("room/poll_chart.html", context)


def _bars(counts: list[int], rounds: list[Votes]) -> list[Bar]:
    totals = [sum(votes.values()) for votes in rounds]
    return [
        Bar(count, int(100 * count / total + 0.5) if total else 0)
        for count, total in zip(counts, totals, strict=True)
    ]


def _options(options: list[str], rounds: list[Votes]) -> list[tuple[str, list[Cell]]]:
    return [
        (one, [Cell(_bars([votes.get(one, 0) for votes in rounds], rounds))]) for one in options
    ]


def _receivers(question: Played, rounds: list[Votes]) -> dict[str, Any]:
    ticks = [ticked(votes) for votes in rounds]
    clients, received = question.clients, question.right_ticks

    def cell(tick: str) -> Cell:
        return Cell(_bars([one[tick] for one in ticks], rounds), tick in received)

    names = [f"client {client}" for client in clients] if len(clients) > 1 else ["arrives"]
    rows = [
        (card.label, [cell(f"{client}:{number}") for client in clients])
        for number, card in enumerate(question.shown)
    ]
    return {"head": ["What is sent", *names], "rows": rows, "is_code": True}


def ticked(votes: Votes) -> Counter[str]:
    """How many students have ticked each card of each client: "1:0" is card 0 of client 1."""
    found = Counter()
    for answer, count in votes.items():
        found.update(dict.fromkeys(set(answer.split()), count))
    return found


def _orders(question: Played, rounds: list[Votes]) -> dict[str, Any]:
    names = {str(number): chr(ord("A") + number) for number in range(len(question.shown))}
    shown, rest = frequent_orders(rounds)
    rows = [
        (in_letters(order, names), [Cell(_bars(counts, rounds), is_right(question, order))])
        for order, counts in shown
    ]
    if any(rest):
        rows.append(("other orders", [Cell(_bars(rest, rounds))]))
    legend = [(name, card.label) for name, card in zip(names.values(), question.shown, strict=True)]
    return {"head": ["Order", "Votes"], "rows": rows, "legend": legend}


def is_right(question: Played, order: str) -> bool:
    return question.is_right(*map(str.split, order.split("|", 1)))


def frequent_orders(rounds: list[Votes]) -> tuple[list[tuple[str, list[int]]], list[int]]:
    """The orders with their votes of each round, those of the last round first, and the rest."""
    last = rounds[-1] if rounds else {}
    found = sorted(
        {order for votes in rounds for order in votes}, key=lambda it: (-last.get(it, 0), it)
    )
    counts = [(order, [votes.get(order, 0) for votes in rounds]) for order in found]
    rest = [sum(one) for one in zip(*(it for _, it in counts[MAX_ORDERS:]), strict=True)]
    return counts[:MAX_ORDERS], rest


def in_letters(order: str, names: dict[str, str]) -> str:
    """An order with a letter for each card: "B A C, never D"."""
    given, _, never = order.partition("|")
    said = [" ".join(names.get(card, "?") for card in part.split()) for part in (given, never)]
    parts = [said[0], said[1] and f"never {said[1]}"]
    return ", ".join(filter(None, parts)) or "nothing"
