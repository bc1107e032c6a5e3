"""Lesson 23: what a client sends, in a frame and in the URL."""

import json
import re
from urllib.parse import parse_qs

MAX_LENGTH = 2000  # characters of a message: as JSON, it always fits into a frame
INVALID_FRAME = f'Send {{"message": "..."}} with {MAX_LENGTH} characters at most.'


def message_in(frame) -> str | None:
    """Return the text in a frame such as `{"message": "hello"}`, or None without a valid text."""
    try:
        text = json.loads(frame)["message"]
        text.encode()  # raises for half a character, which no database can store
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None
    return text if len(text) <= MAX_LENGTH else None


def last_id_in(query_string) -> int | None:
    """Return the id in `?seen=7`, the last one that the client has. None: it sent no id."""
    seen = parse_qs(query_string.decode("latin-1")).get("seen", [""])[0]
    return int(seen) if re.fullmatch("[0-9]{1,18}", seen) else None
