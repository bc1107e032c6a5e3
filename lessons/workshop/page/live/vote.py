"""A student's answer to a question, as a vote in the class's poll.

A page shows the cards of a question in an order that only this page has. A vote numbers them as
Played.cards has them, so that the same answer of two students is the same text.
"""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.predictions import Played, predictions, shuffled


def seed_of(feed: str, number: int) -> str:
    """What the order of the cards on a page depends on."""
    return f"{feed} {number}"


def vote_of(lesson: Lesson, number: int, feed: str, given: list[str], never: list[str]) -> str:
    """The vote for the answer that the page with this feed has.

    `given` are the ticked boxes ("2:0" is client 2 and the page's first card), or the cards in the
    student's order; `never` are the cards left out. The vote is written in the same way: "1:0 2:0",
    "0 2 1", or "0 2 | 1". Raises ValueError, IndexError, and what a recording raises.
    """
    question = predictions(lesson)[number - 1].played(lesson)
    count = len(question.cards)
    numbers = shuffled(range(count), seed_of(feed, number))
    if question.kind == "receives":
        boxes = [box.partition(":") for box in given]
        return " ".join(sorted(f"{client}:{numbers[int(card)]}" for client, _, card in boxes))
    if sorted(int(one) for one in given + never) != list(range(count)):
        raise ValueError("each card must have one place")
    placed, left_out = (" ".join(str(numbers[int(it)]) for it in part) for part in (given, never))
    return f"{placed} | {left_out}" if left_out else placed


def is_right(vote: str, question: Played) -> bool:
    """Whether a vote that vote_of() has written is right. Any other text is wrong."""
    shown = question.cards
    if question.kind == "receives":
        return set(vote.split()) == question.right_ticks(shown)
    try:
        sides = [[int(one) for one in side.split()] for side in f"{vote}|".split("|")[:2]]
    except ValueError:
        return False
    if sorted([*sides[0], *sides[1]]) != list(range(len(shown))):
        return False
    placed = ([shown[one] for one in side] for side in sides)
    return all(map(all, question.grade_order(*placed)))
