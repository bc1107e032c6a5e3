"""Asks a student to predict a conversation, and answers what really happened."""

from collections.abc import Sequence

from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.predictions import Played, Prediction, predictions
from lessons.workshop.page.json_answers import Refused, json_for_own_page
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.step_words import conversation_json
from lessons.workshop.page.views.play_views import recording_json


def question_context(questions: Sequence[Prediction]) -> list[dict]:
    """The questions of a lesson's page. Nothing is played yet."""
    return [
        {
            "html": markdown_to_html(one.question),
            "because": markdown_to_html(one.because),
            **conversation_json(one.steps),
            "kind": one.kind,
        }
        for one in questions
    ]


@require_safe
@json_for_own_page
def prediction_question(request, lesson: Lesson, number: int) -> dict:
    """The cards of one question."""
    question = _played(lesson, number)
    return {
        "kind": question.kind,
        "cards": [card.label for card in question.shown],
        "decoys": bool(question.prediction.decoys),
        "clients": question.clients,
    }


@require_safe
@json_for_own_page
def prediction_answer(request, lesson: Lesson, number: int) -> dict:
    """Which of the student's cards are right, and the recording that proves it.

    `given` are the ticked boxes, or the numbers of the cards in the student's order; `never` are
    those left out.
    """
    question = _played(lesson, number)
    given, never = (request.GET.getlist(name) for name in ("given", "never"))
    answer = {
        "is_right": question.is_right(given, never),
        "target": question.prediction.consumer(lesson),
        "recording": recording_json(question.recording),
    }
    if question.kind == "receives":
        arrives, ticked = question.right_ticks, set(given)
        wrong = len(ticked - arrives)
        rest = f", and {wrong} that {'does' if wrong == 1 else 'do'} not" if wrong else ""
        say = f"Ticked: {len(ticked & arrives)} of the {len(arrives)} that arrive{rest}."
        return {**answer, "say": say, "received": sorted(arrives)}
    right = question.grade([int(one) for one in given], [int(one) for one in never])
    say = f"{sum(right)} of {len(right)} are in place."
    order = [card.label for card in question.cards if card.event is not None]
    return {**answer, "say": say, "right": right, "order": order}


def _played(lesson: Lesson, number: int) -> Played:
    found = predictions(lesson)
    if not 1 <= number <= len(found):
        raise Refused(
            f"Lesson {lesson.number} has {len(found)} questions, but no question {number}."
        )
    return found[number - 1].played(lesson)
