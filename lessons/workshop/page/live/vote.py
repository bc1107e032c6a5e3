"""A student's answer to a question, as a vote in the class's poll.

A page shows the cards of a question in an order that only this page has. A vote numbers them as
`cards` returns them, so that the same answer of two students is the same text.
"""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.predictions import (
    Card,
    Prediction,
    cards,
    grade_order,
    predictions,
    received_frames,
    shuffled,
)
from lessons.workshop.judge.study.recordings import Recording


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


def right_ticks(prediction: Prediction, recording: Recording, shown: list[Card]) -> set[str]:
    """What really arrives, as ticks of the cards in the order in which they are shown."""
    if prediction.kind != "receives":
        return set()
    places = {card.label: number for number, card in enumerate(shown)}
    frames = received_frames(prediction, recording)
    return {f"{client}:{places[label]}" for client, label in frames}


def is_right(vote: str, prediction: Prediction, recording: Recording) -> bool:
    """Whether a vote that vote_of() has written is right. Any other text is wrong."""
    shown = cards(prediction, recording)
    if prediction.kind == "receives":
        return set(vote.split()) == right_ticks(prediction, recording, shown)
    try:
        sides = [[int(one) for one in side.split()] for side in f"{vote}|".split("|")[:2]]
    except ValueError:
        return False
    if sorted([*sides[0], *sides[1]]) != list(range(len(shown))):
        return False
    placed = ([shown[one] for one in side] for side in sides)
    return all(map(all, grade_order(prediction, recording, *placed)))
