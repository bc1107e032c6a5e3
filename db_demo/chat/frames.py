"""What a client may say: one frame in, one checked request out."""

import json
import unicodedata
from typing import ClassVar

LONGEST_FRAME = 32_768  # characters; 2,000 of them may be written as \uXXXX\uXXXX
LONGEST_MESSAGE = 2_000
LONGEST_KEY = 64
# What turns the direction of text could make a line read as another than was written.
TURNS_TEXT = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Refused(ValueError):
    """The frame is no request; the message says to the client why, `about` what it is about."""

    about: ClassVar[dict] = {}


def read(text) -> dict:
    """`{"message": str, "key": str}` or `{"typing": True}`. Raises Refused."""
    request = _decoded(text)
    if "message" in request:
        key = _key(request.get("key"))
        try:
            return {"message": _message(request["message"]), "key": key}
        except Refused as refused:
            refused.about = {"key": key} if key else {}
            raise
    if request.get("typing") is True:
        return {"typing": True}
    raise Refused('Send {"message": "..."}.')


def _decoded(text) -> dict:
    if not text:
        raise Refused("Send JSON in a text frame.")
    if len(text) > LONGEST_FRAME:  # before it is parsed: parsing takes its time
        raise Refused(f"A frame has {LONGEST_FRAME} characters at most.")
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):  # the latter: brackets nested too deep
        raise Refused("Send JSON in a text frame.") from None
    if not isinstance(request, dict):
        raise Refused("Send a JSON object.")
    return request


def _message(text) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Refused("A message is a text that is not empty.")
    if len(text) > LONGEST_MESSAGE:
        raise Refused(f"A message has {LONGEST_MESSAGE} characters at most.")
    if any(map(_is_forbidden, text)):
        raise Refused("A message holds no control characters.")
    return text


def _is_forbidden(character) -> bool:
    # Cs: half a character, which JSON can write and no database can store.
    kind = unicodedata.category(character)
    return (kind in ("Cc", "Cs") and character not in "\n\t") or character in TURNS_TEXT


def _key(key) -> str:
    if key is None:
        return ""
    if isinstance(key, str) and 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable():
        return key
    raise Refused(f"A key has 1 to {LONGEST_KEY} ASCII characters.")
