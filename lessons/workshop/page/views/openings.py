"""What the forms of a lesson's clients hold at first: a request that the consumer accepts."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import recorded_conversations
from lessons.workshop.engine.script.steps import Step, parse_step, split_steps
from lessons.workshop.judge.claims import Claims, CourseError
from lessons.workshop.judge.study.predictions import Prediction

_NAMED = re.compile(r"\{\w")  # `{token=ada}`: only a played conversation replaces it
_TOKEN = re.compile(r"\{token=\w+")  # of an account that the page does not have


def openings(lesson: Lesson, predictions: Sequence[Prediction]) -> dict[str, dict]:
    """The values for the worked example, and for what is played at the exercise's path.

    `{"path", "subprotocols", "account", "handshake", "payload", "method", "body", "requestPath",
    "paths"}`. Only a played conversation has the `handshake`, and fills in `{token=ada}`.
    """
    texts = [one for one in recorded_conversations(lesson.text) if one.name == lesson.demo]
    # The first conversation of some lessons sends no text, so those of the questions follow.
    conversations = [split_steps(one.steps) for one in texts] + [it.steps for it in predictions]
    example = [parse_step(step) for steps in conversations for step in steps]
    saved = lesson.check.stat().st_mtime_ns if lesson.check.exists() else 0
    return {
        "example": _opening(lesson, example, is_played=False),
        "exercise": _opening(lesson, _model_steps(lesson, saved) or example, is_played=True),
    }


def _opening(lesson: Lesson, steps: list[Step], is_played: bool) -> dict:
    def can_send(text: str) -> bool:
        return is_played or not _NAMED.search(text)

    words = next((step.arguments for step in steps if step.action == "connect"), {})
    texts = [step.arguments["text"] for step in steps if step.action == "text"]
    texts = [_TOKEN.sub("{token=student", text) for text in texts]
    requests = [step for step in steps if step.kind.is_request]
    request = requests[0] if requests else Step("GET")
    path = words.get("path", lesson.path) + (f"?{words['query']}" if "query" in words else "")
    return {
        "path": path,
        "subprotocols": ", ".join(filter(can_send, words.get("subprotocols", []))),
        "account": words.get("as", ""),
        "handshake": {it: words[it] for it in ("ticket", "host", "origin") if it in words},
        "payload": next((it for it in texts if it and can_send(it)), "hello"),
        "method": request.action,
        "body": "".join(request.arguments.get("pieces", [])),
        "requestPath": request.arguments.get("path", lesson.path),
        "paths": [*dict.fromkeys(it.arguments.get("path", lesson.path) for it in requests)],
    }


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
    steps = [step for text in [*model.handshakes[:1], *texts] for step in split_steps(text)]
    return [parse_step(step) for step in steps]
