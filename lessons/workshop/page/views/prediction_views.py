"""Asks a student to predict a conversation, and answers what really happened."""

from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.script.steps import UnknownStep, parse_step
from lessons.workshop.judge.study.predictions import (
    Card,
    InvalidPrediction,
    Played,
    predictions,
    shuffled,
)
from lessons.workshop.page.live.vote import seed_of
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.views.play_views import (
    RequestRejected,
    json_for_own_page,
    recording_json,
)


def question_context(lesson: Lesson) -> list[dict]:
    """The questions of a lesson's page. Nothing is played yet."""
    try:
        found = predictions(lesson)
    except (InvalidPrediction, UnknownStep):
        return []  # `lesson verify` reports the reason
    return [
        {
            "html": markdown_to_html(one.question),
            "because": markdown_to_html(one.because),
            "steps": [parse_step(step).as_json() for step in one.steps],
            "kind": one.kind,
        }
        for one in found
    ]


@require_safe
@json_for_own_page
def prediction_question(request, lesson: Lesson, number: int) -> dict:
    """The cards of one question, in a random order that stays the same while the page is open."""
    question, shown = _load(request, lesson, number)
    return {
        "kind": question.kind,
        "cards": [card.label for card in shown],
        "decoys": bool(question.prediction.decoys),
        "clients": question.clients,
    }


@require_safe
@json_for_own_page
def prediction_answer(request, lesson: Lesson, number: int) -> dict:
    """Which of the student's cards are right, and the recording that proves it."""
    question, shown = _load(request, lesson, number)
    grade = _grade_order if question.kind == "order" else _grade_receivers
    grades = grade(request.GET, question, shown)
    target, recording = question.prediction.consumer(lesson), recording_json(question.recording)
    return {**grades, "target": target, "recording": recording}


def _load(request, lesson: Lesson, number: int) -> tuple[Played, list[Card]]:
    """A question that was played, and its cards as this page shows them."""
    found = predictions(lesson)
    if not 1 <= number <= len(found):
        raise RequestRejected(
            f"Lesson {lesson.number} has {len(found)} questions, but no question {number}."
        )
    question = found[number - 1].played(lesson)
    return question, shuffled(question.cards, seed_of(request.GET["feed"], number))


def _grade_order(answer, question: Played, shown: list[Card]) -> dict:
    """`given` are the numbers of the cards in the student's order, `never` those left out."""
    given = [int(one) for one in answer.getlist("given")]
    never = [int(one) for one in answer.getlist("never")]
    if sorted(given + never) != list(range(len(shown))):
        raise RequestRejected("Each card must have exactly one place.")
    placed, left_out = question.grade_order(
        [shown[one] for one in given], [shown[one] for one in never]
    )
    right = dict(zip(given + never, placed + left_out, strict=True))
    return {
        "is_right": all(right.values()),
        "right": [right[number] for number in range(len(shown))],
        "order": [card.label for card in question.cards if card.event is not None],
    }


def _grade_receivers(answer, question: Played, shown: list[Card]) -> dict:
    """`given` are the ticked boxes: "2:0" is client 2 and the first card."""
    expected = question.right_ticks(shown)
    is_right = set(answer.getlist("given")) == expected
    return {"is_right": is_right, "received": sorted(expected)}
