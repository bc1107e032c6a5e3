"""What the forms of a lesson's clients hold at first: a request that the consumer accepts."""

import ast
import re
from contextlib import suppress

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import recorded_conversations
from lessons.workshop.course.source_code import read_python
from lessons.workshop.engine.script.steps import Step, UnknownStep, parse_step, split_steps
from lessons.workshop.judge.study.predictions import InvalidPrediction, predictions

LANES = ("client", "consumer", "layer", "database")
_LANE = re.compile(rf"^ *\d+ +(?:[\d.]+ s +)?({'|'.join(LANES)})\b", re.M)


def openings(lesson: Lesson) -> dict[str, dict]:
    """The values for the worked example, and for what is played at the exercise's path.

    `{"path", "subprotocols", "payload", "method", "body", "paths"}`.
    """
    example = _text_steps(lesson, lambda name: name == lesson.demo) + _predicted_steps(lesson)
    exercise = _checked_steps(lesson) or example
    return {"example": _opening(lesson, example), "exercise": _opening(lesson, exercise)}


def lanes_of(lesson: Lesson) -> list[str]:
    """The lanes that the lesson is about: those of its transcripts and questions."""
    found = {"client", "consumer"} | set(_LANE.findall(lesson.text))
    with suppress(InvalidPrediction):  # `lesson verify` reports the reason
        found |= {lane for one in predictions(lesson) for lane in one.lanes}
    return [lane for lane in LANES if lane in found]


def _opening(lesson: Lesson, steps: list[Step]) -> dict:
    words = next((step.arguments for step in steps if step.action == "connect"), {})
    texts = [step.arguments["text"] for step in steps if step.action == "text"]
    requests = [step for step in steps if step.kind.is_request]
    request = requests[0] if requests else Step("GET")
    path = words.get("path", lesson.path) + (f"?{words['query']}" if "query" in words else "")
    return {
        "path": path,
        # `{token=ada}` is not a subprotocol: only a played conversation replaces it.
        "subprotocols": ", ".join(it for it in words.get("subprotocols", []) if "{" not in it),
        "account": words.get("as", ""),
        "payload": next(filter(None, texts), "hello"),
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


def _checked_steps(lesson: Lesson) -> list[Step]:
    """The steps of the conversations that the checks name, read from their source.

    No code runs: a text in braces is a constant of the module.
    """
    try:
        tree = ast.parse(read_python(lesson.check))
    except (OSError, SyntaxError, ValueError):
        return []
    known: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and (text := _text(node.value, known)) is not None:
            known |= {one.id: text for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.Assign):
            known |= _pairs(node, known)
    found = []
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                    text = _text(call.args[0], known)
                    if call.func.id == "play" and text is not None:
                        found += _parsed(text)
    return found


def _pairs(node: ast.Assign, known: dict[str, str]) -> dict[str, str]:
    """`A, B = "a", "b"`."""
    [target] = node.targets
    if not (isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)):
        return {}
    values = (_text(value, known) for value in node.value.elts)
    pairs = zip(target.elts, values, strict=False)
    return {
        name.id: text for name, text in pairs if isinstance(name, ast.Name) and text is not None
    }


def _text(node: ast.expr, known: dict[str, str]) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.JoinedStr(values=values):
            parts = [
                _text(it.value if isinstance(it, ast.FormattedValue) else it, known)
                for it in values
            ]
            return None if None in parts else "".join(parts)
    return None
