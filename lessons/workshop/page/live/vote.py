"""A student's answer to a question, as a vote in the class's poll.

A page shows the cards of a question in an order that only this page has. A vote numbers them as
`cards` returns them, so that the same answer of two students is the same text.
"""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.predictions import cards, predictions, shuffled


def seed_of(feed: str, number: int) -> str:
    """What the order of the cards on a page depends on."""
    return f"{feed} {number}"


def vote_of(lesson: Lesson, number: int, feed: str, given: list[str], never: list[str]) -> str:
    """The vote for the answer that the page with this feed has.

    `given` are the ticked boxes ("2:0" is client 2 and the page's first card), or the cards in the
    student's order; `never` are the cards left out. The vote is written in the same way: "1:0 2:0",
    "0 2 1", or "0 2 | 1". Raises ValueError, IndexError, and what a recording raises.
    """
    prediction = predictions(lesson)[number - 1]
    count = len(cards(prediction, prediction.recording(lesson)))
    numbers = shuffled(range(count), seed_of(feed, number))
    if prediction.kind == "receives":
        boxes = [box.partition(":") for box in given]
        return " ".join(sorted(f"{client}:{numbers[int(card)]}" for client, _, card in boxes))
    if sorted(int(one) for one in given + never) != list(range(count)):
        raise ValueError("each card must have one place")
    placed, left_out = (" ".join(str(numbers[int(it)]) for it in part) for part in (given, never))
    return f"{placed} | {left_out}" if left_out else placed
