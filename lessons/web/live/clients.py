"""What a lesson's page begins with: its clients, and what stands in their forms."""

import re

from lessons.core.accounts import ACCOUNTS
from lessons.core.catalogue import NOBODY, Lesson
from lessons.judge.predictions import InvalidPrediction, predictions
from lessons.playback.steps import handshake, numbered

STRANGER = "http://evil.lessons.localhost:8666"  # where lesson 17's other site is


def forms_of(lesson: Lesson) -> dict:
    """The context of clients.html."""
    origins = [client.origin for client in lesson.clients if client.origin]
    return {
        "clients": lesson.clients,
        "accounts": [NOBODY, *ACCOUNTS],
        "strangers": list(dict.fromkeys([*origins, STRANGER])),
        "opening": _opening(lesson),
    }


def _opening(lesson: Lesson) -> dict:
    """What to begin with: as the text's first conversation with the worked example does."""
    pattern = rf"^`+transcript {re.escape(lesson.demo)} \| (?P<steps>.*)"
    found = re.search(pattern, lesson.text, re.MULTILINE)
    steps = [numbered(one.strip())[1] for one in found["steps"].split(" | ")] if found else []
    if not lesson.path.startswith("/ws/"):
        method, *body = steps[0].split() if steps else ["GET"]
        return {"path": lesson.path, "method": method, "body": "".join(body)}
    words = handshake(next((one for one in steps if one.startswith("connect")), "connect"))
    said = [
        one.removeprefix("text ") for one in [*steps, *_foretold(lesson)] if one.startswith("text ")
    ]
    return {
        "path": lesson.path + (f"?{words['query']}" if "query" in words else ""),
        "subprotocols": words.get("subprotocols", "").replace(",", ", "),
        "payload": said[0] if said else "hello",
    }


def _foretold(lesson: Lesson) -> list[str]:
    """The steps of what is to predict, for a lesson whose first conversation says nothing."""
    try:
        return [numbered(step)[1] for one in predictions(lesson) for step in one.steps]
    except InvalidPrediction:
        return []  # `lesson verify` says why
