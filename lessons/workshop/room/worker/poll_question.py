"""A question of a poll, and which answers to it are right.

The question is one of predict.toml. An answer is a text. It numbers the cards as cards() returns
them, from 0. For "receives" it has what the student ticked, as client:card, such as "1:0 2:0". For
"order" it has the cards in the student's order; those that never come are after a bar: "0 2 1 | 3".
"""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.predictions import (
    Card,
    Prediction,
    cards,
    clients,
    grade_order,
    predictions,
    received_frames,
    shuffled,
)
from lessons.workshop.judge.study.recordings import Recording
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.views.play_views import recording_json


def question_json(lesson: Lesson, number: int, answers: list[str]) -> dict:
    """The question, what really happens, and for each answer whether it is right.

    `letters` are the cards' numbers in the order in which a board names them A, B, C: another one
    than that of the answer. Raises InvalidPrediction, IndexError, and what a recording raises.
    """
    prediction = predictions(lesson)[number - 1]
    recording = prediction.recording(lesson)
    shown = cards(prediction, recording)
    return {
        "kind": prediction.kind,
        "question": markdown_to_html(prediction.question),
        "because": markdown_to_html(prediction.because),
        "steps": list(prediction.steps),
        "cards": [card.label for card in shown],
        "letters": shuffled(range(len(shown)), f"{lesson.key} {number}"),
        "clients": clients(prediction, recording),
        "received": sorted(_received(prediction, recording, shown)),
        "grades": {one: _is_right(one, prediction, recording, shown) for one in answers},
        "recording": recording_json(recording),
    }


def _is_right(answer: str, prediction: Prediction, recording: Recording, shown: list[Card]) -> bool:
    if prediction.kind == "receives":
        return set(answer.split()) == _received(prediction, recording, shown)
    placed, _, never = answer.partition("|")
    try:
        given, left_out = ([int(one) for one in part.split()] for part in (placed, never))
    except ValueError:
        return False
    if sorted(given + left_out) != list(range(len(shown))):
        return False
    right, rest = grade_order(
        prediction, recording, [shown[one] for one in given], [shown[one] for one in left_out]
    )
    return all(right) and all(rest)


def _received(prediction: Prediction, recording: Recording, shown: list[Card]) -> set[str]:
    if prediction.kind != "receives":
        return set()
    places = {card.label: number for number, card in enumerate(shown)}
    return {f"{client}:{places[it]}" for client, it in received_frames(prediction, recording)}
