"""What a client sends, in the handshake and in a frame. No other module of the chat parses it."""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from lessons.extras.client_network import network_of

# Valid in the name of a group and in a URL. Browsers remove "." and ".." from a URL's path.
ROOM_NAME = r"(?!\.{1,2}$)[a-zA-Z0-9_.-]{1,50}"
MAX_FRAME_LENGTH = 32_768  # characters; JSON may write one character as \uXXXX\uXXXX
MAX_MESSAGE_LENGTH = 2_000
KEY = "[ -~]{1,64}"  # printable ASCII
# Control characters except tab and line feed. Halves of a character, which no database can store.
# And those that change the direction of text, so that a reader sees a different line.
FORBIDDEN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")

BAD_REQUEST, SESSION_OVER, FORBIDDEN, NO_SUCH_ROOM = 4400, 4401, 4403, 4404
IDLE, TOO_SLOW, TOO_MANY = 4408, 4413, 4429


class AccessDenied(Exception):
    """The server closes the connection with this code, the first argument."""


class Refused(ValueError):
    """The client receives this message. With the key, it does not send its frame again."""

    def __init__(self, message: str, key: str = ""):
        super().__init__(message)
        self.answer = {"error": message} | ({"key": key} if key else {})


@dataclass(frozen=True)
class ChatClient:
    """One connection to one room, as the handshake described it. Its rights may change later."""

    room: str
    channel: str
    address: str
    user_id: int | None  # None: a guest
    session_key: str | None
    seen: int  # the id of the last message that it has; 0 for a new client


def read_handshake(scope, channel: str) -> ChatClient:
    """Return the client that has sent the handshake. Raises AccessDenied."""
    room = scope["url_route"]["kwargs"]["room"]
    query = parse_qs(scope["query_string"].decode("latin1"), keep_blank_values=True)
    seen = query.get("seen", ["0"])[-1]
    if not re.fullmatch(ROOM_NAME, room):
        raise AccessDenied(NO_SUCH_ROOM)
    if not re.fullmatch("[0-9]{1,18}", seen):
        raise AccessDenied(BAD_REQUEST)
    address = network_of((scope.get("client") or [""])[0])
    session_key = scope["session"].session_key if scope["user"].is_authenticated else None
    return ChatClient(room, channel, address, scope["user"].pk, session_key, int(seen))


def parse_frame(text: str | None) -> tuple[str, str]:
    """Return message and key of `{"message": "...", "key": "..."}`. Raises Refused."""
    if len(text or "") > MAX_FRAME_LENGTH:  # check before parsing, because parsing takes time
        raise Refused(f"A frame may have {MAX_FRAME_LENGTH} characters at most.")
    try:
        request = json.loads(text or "")
    except (ValueError, RecursionError):  # RecursionError: too many nested brackets
        raise Refused("Send JSON in a text frame.") from None
    if not isinstance(request, dict) or "message" not in request:
        raise Refused('Send {"message": "..."}.')
    message, key = request["message"], request.get("key")
    if key is not None and not (isinstance(key, str) and re.fullmatch(KEY, key)):
        raise Refused("A key must have 1 to 64 printable ASCII characters.")
    if not isinstance(message, str) or not message.strip():
        raise Refused("A message must be a text that is not empty.", key)
    if len(message) > MAX_MESSAGE_LENGTH:
        raise Refused(f"A message may have {MAX_MESSAGE_LENGTH} characters at most.", key)
    if FORBIDDEN_TEXT.search(message):
        raise Refused("A message must not contain control characters.", key)
    return message, key or ""
