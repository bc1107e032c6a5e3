"""What a lesson's page begins with: its clients, and what stands in their forms."""

import re

from lessons.accounts import ACCOUNTS
from lessons.catalogue import NOBODY, Lesson

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
    pattern = rf"^`+transcript {re.escape(lesson.demo)} \| (?P<step>[^|\n]*)"
    step = re.search(pattern, lesson.text, re.MULTILINE)
    name, *words = step["step"].split() if step else [""]
    if not lesson.path.startswith("/ws/"):
        return {"path": lesson.path, "method": name or "GET", "body": "".join(words)}
    query = next((word for word in words if word.startswith("?")), "")
    offered = next((word for word in words if word.startswith("subprotocols=")), "")
    subprotocols = offered.partition("=")[2].replace(",", ", ")
    return {"path": lesson.path + query, "subprotocols": subprotocols}
