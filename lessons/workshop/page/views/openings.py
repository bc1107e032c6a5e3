"""What the forms of a lesson's clients hold at first: a request that the consumer accepts."""

import json
import re
from contextlib import suppress
from functools import lru_cache

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import recorded_conversations
from lessons.workshop.engine.script.steps import Step, UnknownStep, parse_step, split_steps
from lessons.workshop.judge.claims import Claims, CourseError
from lessons.workshop.judge.study.predictions import InvalidPrediction, predictions

_NAMED = re.compile(r"\{\w")  # `{token=ada}`: only a played conversation replaces it
_NEVER = re.compile(r"(?!)")
_TOKEN = re.compile(r"\{token=\w+")  # of an account that the page does not have
LANES = ("client", "consumer", "layer", "database")
_LANE = re.compile(rf"^ *\d+ +(?:[\d.]+ s +)?({'|'.join(LANES)})\b", re.M)


def openings(lesson: Lesson) -> dict[str, dict]:
    """The values for the worked example, and for what is played at the exercise's path.

    `{"path", "subprotocols", "account", "handshake", "payload", "method", "body", "requestPath",
    "paths"}`. Only a played conversation has the `handshake`, and fills in `{token=ada}`.
    """
    example = _text_steps(lesson, lambda name: name == lesson.demo) + _predicted_steps(lesson)
    saved = lesson.check.stat().st_mtime_ns if lesson.check.exists() else 0
    exercise = _model_steps(lesson, saved) or example
    return {
        "example": _opening(lesson, example, _NAMED),
        "exercise": _opening(lesson, exercise, _NEVER),
    }


def lanes_of(lesson: Lesson) -> list[str]:
    """The lanes that the lesson is about: those of its transcripts and questions."""
    found = {"client", "consumer"} | set(_LANE.findall(lesson.text))
    with suppress(InvalidPrediction):  # `lesson verify` reports the reason
        found |= {lane for one in predictions(lesson) for lane in one.lanes}
    return [lane for lane in LANES if lane in found]


def _opening(lesson: Lesson, steps: list[Step], left_out: re.Pattern) -> dict:
    words = next((step.arguments for step in steps if step.action == "connect"), {})
    texts = [step.arguments["text"] for step in steps if step.action == "text"]
    texts = [_TOKEN.sub("{token=student", text) for text in texts]
    requests = [step for step in steps if step.kind.is_request]
    request = requests[0] if requests else Step("GET")
    path = words.get("path", lesson.path) + (f"?{words['query']}" if "query" in words else "")
    return {
        "path": path,
        "subprotocols": ", ".join(
            it for it in words.get("subprotocols", []) if not left_out.search(it)
        ),
        "account": words.get("as", ""),
        "handshake": {it: words[it] for it in ("ticket", "host", "origin") if it in words},
        "payload": next((it for it in texts if it and not left_out.search(it)), "hello"),
        "method": request.action,
        "body": "".join(request.arguments.get("pieces", [])),
        "requestPath": request.arguments.get("path", lesson.path),
        "paths": [*dict.fromkeys(it.arguments.get("path", lesson.path) for it in requests)],
    }


def _text_steps(lesson: Lesson, is_wanted) -> list[Step]:
    found = [one.steps for one in recorded_conversations(lesson.text) if is_wanted(one.name)]
    return [step for steps in found for step in _parsed(steps)]


def _predicted_steps(lesson: Lesson) -> list[Step]:
    """The steps of all predictions: the first conversation of some lessons sends no text."""
    try:
        found = predictions(lesson)
    except InvalidPrediction:
        return []  # `lesson verify` reports the reason
    return [step for one in found for step in _parsed(" | ".join(one.steps))]


def _parsed(steps: str) -> list[Step]:
    try:
        return [parse_step(step) for step in split_steps(steps)]
    except UnknownStep:
        return []


@lru_cache(maxsize=64)
def _model_steps(lesson: Lesson, saved: int) -> list[Step]:
    """The first handshake and the first text of the lesson's model: its exercise accepts both.

    A check.py is run once for each time at which it was saved: some make many mutants.
    """
    try:
        model = Claims.of(lesson).model
    except CourseError:
        return []
    texts = [f"text {json.dumps(text)}" for text in model.texts[:1]]
    return [step for text in [*model.handshakes[:1], *texts] for step in _parsed(text)]
