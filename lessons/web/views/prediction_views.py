"""Asks a student to predict a conversation, and tells what came of it."""

from django.views.decorators.http import require_safe

from lessons.core.catalogue import Lesson
from lessons.judge.predictions import (
    Card,
    InvalidPrediction,
    Prediction,
    cards,
    clients,
    is_each_in_place,
    predictions,
    received,
    shuffled,
)
from lessons.web.markup import as_html
from lessons.web.views.compare_views import Refused, for_own_page


def questions(lesson: Lesson) -> list[dict]:
    """What a page asks, without playing anything."""
    try:
        found = predictions(lesson)
    except InvalidPrediction:
        return []  # `lesson verify` says why
    return [
        {
            "html": as_html(one.question),
            "because": as_html(one.because),
            "steps": one.steps,
            "kind": one.kind,
        }
        for one in found
    ]


@require_safe
@for_own_page
def asked(request, lesson: Lesson, number: int) -> dict:
    """The cards of one question, mixed in the same way for as long as the page is open."""
    prediction = _prediction(lesson, number)
    recording = prediction.recording(lesson)
    return {
        "kind": prediction.kind,
        "cards": [card.label for card in _mixed(request, prediction, recording, number)],
        "decoys": bool(prediction.decoys),
        "clients": clients(prediction, recording),
    }


@require_safe
@for_own_page
def answered(request, lesson: Lesson, number: int) -> dict:
    """Which of the cards are right, why, and the recording that says so."""
    prediction = _prediction(lesson, number)
    recording = prediction.recording(lesson)
    mixed = _mixed(request, prediction, recording, number)
    if prediction.kind == "order":
        told = _order(request, prediction, mixed, recording)
    else:
        told = _receivers(request, prediction, mixed, recording)
    return {**told, "recording": recording.as_json()}


def _prediction(lesson: Lesson, number: int) -> Prediction:
    found = predictions(lesson)
    if not 1 <= number <= len(found):
        raise Refused(f"Lesson {lesson.number} asks {len(found)} things, and no number {number}.")
    return found[number - 1]


def _mixed(request, prediction: Prediction, recording, number: int) -> list[Card]:
    return shuffled(cards(prediction, recording), f"{request.GET['feed']} {number}")


def _order(request, prediction: Prediction, mixed: list[Card], recording) -> dict:
    given = [int(one) for one in request.GET.getlist("given")]
    never = [int(one) for one in request.GET.getlist("never")]
    if sorted(given + never) != list(range(len(mixed))):
        raise Refused("Each card has one place.")
    placed, left = is_each_in_place(
        prediction, recording, [mixed[one] for one in given], [mixed[one] for one in never]
    )
    right = dict(zip(given + never, placed + left, strict=True))
    return {
        "is_right": all(right.values()),
        "right": [right[number] for number in range(len(mixed))],
        "order": [card.label for card in cards(prediction, recording) if card.event is not None],
    }


def _receivers(request, prediction: Prediction, mixed: list[Card], recording) -> dict:
    """`given` is "2:0" for client 2 and the first card."""
    ticked = set(request.GET.getlist("given"))
    happened = set(received(prediction, recording))
    expected = {
        f"{client}:{number}"
        for number, card in enumerate(mixed)
        for client in clients(prediction, recording)
        if (client, card.label) in happened
    }
    return {"is_right": ticked == expected, "received": sorted(expected)}
