"""Parses a client's frame into a valid request."""

import json
import unicodedata

MAX_FRAME_LENGTH = 32_768  # characters; JSON may write one character as \uXXXX\uXXXX
MAX_MESSAGE_LENGTH = 2_000
MAX_KEY_LENGTH = 64
# These characters change the direction of text, so a reader could see a different line.
BIDI_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class InvalidFrame(ValueError):
    """The chat does not do what the frame asks for. The client receives the message."""

    def __init__(self, message: str, key: str = ""):
        super().__init__(message)
        # With the key, the client does not send the message again.
        self.details = {"key": key} if key else {}


def parse_frame(text) -> dict:
    """Return `{"message": str, "key": str}` or `{"typing": True}`. Raises InvalidFrame."""
    request = _decode(text)
    if "message" in request:
        key = _valid_key(request.get("key"))
        return {"message": _valid_message(request["message"], key), "key": key}
    if request.get("typing") is True:
        return {"typing": True}
    raise InvalidFrame('Send {"message": "..."}.')


def _decode(text) -> dict:
    if not text:
        raise InvalidFrame("Send JSON in a text frame.")
    if len(text) > MAX_FRAME_LENGTH:  # check before parsing, because parsing takes time
        raise InvalidFrame(f"A frame may have {MAX_FRAME_LENGTH} characters at most.")
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: too many nested brackets
        raise InvalidFrame("Send JSON in a text frame.") from None
    if not isinstance(request, dict):
        raise InvalidFrame("Send a JSON object.")
    return request


def _valid_message(text, key: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InvalidFrame("A message must be a text that is not empty.", key)
    if len(text) > MAX_MESSAGE_LENGTH:
        raise InvalidFrame(f"A message may have {MAX_MESSAGE_LENGTH} characters at most.", key)
    if any(map(_is_forbidden, text)):
        raise InvalidFrame("A message must not contain control characters.", key)
    return text


def _is_forbidden(character) -> bool:
    # Cs is half a character (a lone surrogate). JSON can contain it, but no database can store it.
    category = unicodedata.category(character)
    is_control = category in ("Cc", "Cs") and character not in "\n\t"
    return is_control or character in BIDI_CONTROLS


def _valid_key(key) -> str:
    if key is None:
        return ""
    is_text = isinstance(key, str) and key.isascii() and key.isprintable()
    if is_text and 0 < len(key) <= MAX_KEY_LENGTH:
        return key
    raise InvalidFrame(f"A key must have 1 to {MAX_KEY_LENGTH} printable ASCII characters.")
