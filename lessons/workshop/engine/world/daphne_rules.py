"""What Daphne does with each message that a consumer sends, over WebSocket and over HTTP.

Every rule is Daphne's own: daphne/ws_protocol.py and http_protocol.py, handle_reply; autobahn,
sendMessage and sendClose; daphne/server.py, check_headers_type. tests/facts/test_facts_daphne.py
and test_facts_http.py compare each rule with a real server.

A rule judges the message itself, because Daphne looks at exact types: an IntEnum is not a close
code. But a rule calls no method of a subclass of a built-in type. It judges the characters of a
text, even if the text claims to equal every other one.
"""

import difflib
import re
from enum import Enum

from ..recording.events import exact_copy

MAX_FRAME_SIZE = 2**20  # bytes, of what Daphne receives and of what it sends
CODE_DROPPED = "code-before-accept"  # the only broken rule of which Daphne obeys the rest


class State(Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"  # the consumer sent websocket.close
    REJECTED = "rejected"  # the consumer sent websocket.close before it accepted
    DISCONNECTED = "disconnected"  # the client has left


class Disconnected(RuntimeError):
    """As autobahn's exception of that name: a frame was sent after the close frame."""


class PayloadExceededError(RuntimeError):
    """As autobahn's exception of that name: a frame was larger than Daphne sends."""


class BrokenRule(Exception):
    """A message that Daphne does not accept.

    `diagnosis` is an id of the catalogue. `error` is the exception that Daphne raises in the
    consumer, or None if Daphne drops the message silently. `remark` is a sentence for the finding.
    The server adds the `place` of the line that sent the message.
    """

    place = None

    def __init__(self, diagnosis: str, error: Exception | None = None, remark: str = ""):
        super().__init__(diagnosis)
        self.diagnosis = diagnosis
        self.error = error
        self.remark = remark

    @property
    def is_obeyed(self) -> bool:
        """Whether Daphne drops only a part of the message."""
        return self.diagnosis == CODE_DROPPED


def type_of(message, is_dropped: bool = False):
    """The type of a message that a consumer sent. Raises BrokenRule if it has no type.

    Daphne does not look at a message that `is_dropped`.
    """
    try:
        kind = message["type"]
    except Exception as error:
        code = "reply-without-type" if isinstance(message, dict) else "reply-not-a-dict"
        raise BrokenRule(code, None if is_dropped else error) from None
    if not isinstance(message, dict):
        raise BrokenRule("reply-not-a-dict")  # an object that only looks like a dict
    return exact_copy(kind)


# Type of a message → the keys that Daphne reads, and those that only the ASGI spec knows.
_KEYS = {
    "websocket.accept": (("subprotocol",), ("headers",)),
    "websocket.send": (("text", "bytes"), ()),
    "websocket.close": (("code",), ("reason",)),
    "http.response.start": (("status", "headers"), ("trailers",)),
    "http.response.body": (("body", "more_body"), ()),
}


def unknown_keys(message: dict) -> list[str]:
    """The keys that neither Daphne nor the ASGI spec knows. Daphne ignores them silently."""
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in _KEYS:
        return []
    read, others = _KEYS[kind]
    return [key for key in message if key not in ("type", *read, *others)]


def _meant_key(message: dict, key) -> str:
    """The key of Daphne that an unknown key of `message` resembles, or ""."""
    free = [name for name in _KEYS[message["type"]][0] if name not in message]
    key = key.casefold() if isinstance(key, str) else ""
    named = [name for name in free if name in re.split("[_-]", key)]  # as code in close_code
    return next(iter(named or difflib.get_close_matches(key, free, n=1)), "")


def with_meant_keys(message: dict) -> dict:
    """The message, with each unknown key replaced by the key of Daphne that it resembles."""
    meant = {key: _meant_key(message, key) or key for key in unknown_keys(message)}
    return {meant.get(key, key): value for key, value in message.items()}


def ignored_keys_text(message: dict) -> str:
    """A line for each key of `message` that Daphne ignores, with the key to write instead."""
    lines = []
    for key in unknown_keys(message) if isinstance(message, dict) else ():
        line = f"Daphne does not know the key {key!r} of {message['type']}, and ignores it."
        meant = _meant_key(message, key)
        lines.append(f"{line} Write {meant!r}." if meant else line)
    return "\n".join(lines)


def is_too_large(frame: dict) -> bool:
    """Whether Daphne receives no such frame from a client, and sends none."""
    payload = frame.get("text") or frame.get("bytes") or b""
    is_text = isinstance(payload, str)
    return len(payload.encode(errors="surrogatepass") if is_text else payload) > MAX_FRAME_SIZE


class WebSocketRules:
    """Follows one WebSocket: `state` and `close_code` are its current state.

    Client uses every name without an underscore. HttpRules has the same names.
    """

    disconnect_type = "websocket.disconnect"  # the event after which the consumer must stop
    late_handler = "handler-never-returned"  # diagnosis: a handler goes on after the client left
    leftover_task = "task-left-behind"  # diagnosis: a task goes on after the client left
    silence = "no-reply"  # diagnosis: the client waits and receives nothing

    def __init__(self, subprotocols=()):
        self.state = State.CONNECTING
        self.close_code: int | None = None
        self.offered = list(subprotocols)

    @property
    def client_left(self) -> bool:
        return self.state is State.DISCONNECTED

    @property
    def awaits_answer(self) -> bool:
        """Whether the handshake has no answer yet."""
        return self.state is State.CONNECTING

    @property
    def is_rejected(self) -> bool:
        """Whether the answer to the handshake was a close. Such a client has sent no frame."""
        return self.state is State.REJECTED

    @property
    def disconnect_event(self) -> dict | None:
        """The event that the server sends once the consumer itself has closed the connection."""
        if self.close_code is None:
            return None
        return {"type": self.disconnect_type, "code": self.close_code}

    @property
    def late_exception(self) -> str | None:
        """The diagnosis for a handler that raises after it rejected the handshake."""
        return "answered-after-refusal" if self.is_rejected else None

    def fault_of_stopped(self) -> str | None:
        """The diagnosis for a consumer that has stopped in this state."""
        return {State.OPEN: "zombie", State.CONNECTING: "stopped-unanswered"}.get(self.state)

    def fault_of_waiting(self, last_type: str) -> str | None:
        """The diagnosis for a consumer that has handled `last_type` and waits for an event."""
        if self.client_left:
            return "no-stop-consumer"
        return "no-accept" if last_type == "websocket.connect" and self.awaits_answer else None

    def disconnect(self) -> None:
        """The client has left."""
        self.state = State.DISCONNECTED

    def apply(self, message) -> bool:
        """Apply a message that the consumer sent. Whether the client sees it. Raises BrokenRule."""
        if self.client_left:
            return False  # Daphne does not look at the message
        kind = type_of(message, is_dropped=self.is_rejected)
        match kind if isinstance(kind, str) else None:
            case "websocket.close":
                return self._close(dict.get(message, "code"))
            case "websocket.accept" | "websocket.send" if self.is_rejected:
                raise BrokenRule("answered-after-refusal")
            case "websocket.accept":
                return self._accept(exact_copy(dict.get(message, "subprotocol")))
            case "websocket.send":
                return self._send(message)
        raise BrokenRule("unknown-event-type")

    def _accept(self, given) -> bool:
        if self.state is not State.CONNECTING:
            reason = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
            raise BrokenRule("accept-twice", AttributeError(reason))
        chosen = given
        if type(given) is tuple:  # autobahn takes its first item
            chosen = given[0] if given else None
        if chosen is not None and not (isinstance(chosen, str) and chosen in self.offered):
            # Daphne raises nothing. The handshake never ends, and Daphne drops it after 5 s.
            remark = "" if isinstance(given, str) else _type_text("subprotocol", given, "a str")
            raise BrokenRule("subprotocol-not-offered", remark=remark)
        self.state = State.OPEN
        return True

    def _send(self, message) -> bool:
        if self.state is State.CONNECTING:
            reason = "Socket has not been accepted, so cannot send over it"
            raise BrokenRule("send-before-accept", ValueError(reason))
        text, data = exact_copy(dict.get(message, "text")), dict.get(message, "bytes")
        if text and data:
            got = f"Got invalid WebSocket reply message on {message}"
            raise BrokenRule("both-keys", ValueError(f"{got} - contains both bytes and text keys"))
        # Daphne drops a false value, such as {} or 0, before its type matters.
        if text is not None and not isinstance(text, str):
            reason = f"'{type(text).__name__}' object has no attribute 'encode'"
            raise BrokenRule("payload-not-text", AttributeError(reason) if text else None)
        if data is not None and type(data) is not bytes:
            reason = f'"payload" must have type bytes, but was "{type(data)}"'
            raise BrokenRule("payload-not-bytes", AssertionError(reason) if data else None)
        try:
            size = len(text.encode() if text else data or b"")
        except UnicodeEncodeError as error:  # a lone surrogate, which JSON can hold, has no bytes
            raise BrokenRule("text-not-encodable", error) from None
        if self.state is State.CLOSING and size:
            error = Disconnected("Attempt to send on a closed protocol")
            raise BrokenRule("send-after-close", error)
        if text is None and data is None:
            raise BrokenRule("send-without-payload")
        if size > MAX_FRAME_SIZE:
            limit = f"size {size} exceeding payload limit of {MAX_FRAME_SIZE} octets"
            error = PayloadExceededError(f"tried to send WebSocket message with {limit}")
            raise BrokenRule("frame-too-large", error)
        return size > 0  # Daphne sends no empty frame

    def _close(self, code) -> bool:
        if self.state is State.CONNECTING:
            self.state, self.close_code = State.REJECTED, 1006
            if exact_copy(code) not in (None, 1000):
                raise BrokenRule(CODE_DROPPED)
            return True
        if self.is_rejected:
            return False
        if code is not None and type(code) is not int:
            reason = f"invalid type '{type(code)}' for close code (must be an integer)"
            remark = _type_text("code", code, "an int")
            raise BrokenRule("forbidden-close-code", Exception(reason), remark)
        # RFC 6455, section 7.4.2: of the codes an application may use, autobahn sends only these.
        if code is not None and not (code == 1000 or 3000 <= code <= 4999):
            reason = f"invalid close code {code} (must be 1000 or from [3000, 4999])"
            raise BrokenRule("forbidden-close-code", Exception(reason))
        if self.state is not State.OPEN:
            return False
        self.state, self.close_code = State.CLOSING, 1000 if code is None else code
        return True


def _type_text(key: str, value, wanted: str) -> str:
    """A sentence about a value of the wrong type. Its repr shows that '4013' is not 4013."""
    name = type(value).__name__
    article = "an" if name[0].lower() in "aeiou" else "a"
    return f"The value of {key!r} is {value!r}, {article} {name}. It must be {wanted}."


class Response(Enum):
    AWAITED = "awaited"
    STARTED = "started"
    COMPLETE = "complete"  # a body without more_body has been sent


class HttpRules:
    """Follows one request: `response` says how much of the response was sent.

    Client uses every name without an underscore. WebSocketRules has the same names.
    """

    disconnect_type = "http.disconnect"
    late_handler = WebSocketRules.late_handler
    leftover_task = WebSocketRules.leftover_task
    late_exception = None
    awaits_answer = False  # a response may take as long as it likes

    def __init__(self):
        self.response = Response.AWAITED
        self.client_left = False
        self._status_error: Exception | None = None  # which the first body will raise

    @property
    def disconnect_event(self) -> dict | None:
        """Daphne sends http.disconnect after every complete response, too."""
        return {"type": self.disconnect_type} if self.response is Response.COMPLETE else None

    @property
    def silence(self) -> str:
        unanswered = self.response is Response.AWAITED
        return "response-missing" if unanswered else "response-not-finished"

    def disconnect(self) -> None:
        """The client has closed its connection, or the response is complete."""
        if self.response is not Response.COMPLETE:
            self.late_handler = self.leftover_task = "stream-outlives-client"
        self.client_left = True

    def fault_of_stopped(self) -> str | None:
        if self.client_left or self.response is Response.COMPLETE:
            return None
        unanswered = self.response is Response.AWAITED
        return "http-stopped-unanswered" if unanswered else self.silence

    def fault_of_waiting(self, last_type: str) -> str | None:
        """None for a missing response: a task may still be working on it."""
        return "http-no-stop-consumer" if self.client_left else None

    def apply(self, message) -> bool:
        """Apply a message that the consumer sent. Whether the client sees it. Raises BrokenRule."""
        if self.response is Response.COMPLETE:
            self._judge_late(message)
            return False
        if self.client_left:
            return False
        kind = type_of(message)
        match kind if isinstance(kind, str) else None:
            case "http.response.start":
                self._start(message)
            case "http.response.body":
                self._body(message)
            case _:
                reason = f"Cannot handle message type {kind}!"
                raise BrokenRule("unknown-response-type", ValueError(reason))
        return True

    def _judge_late(self, message) -> None:
        """A message after a complete response: Daphne drops it silently, whatever it is."""
        kind = type_of(message, is_dropped=True)
        if self.client_left and kind == "http.response.body" and not dict.get(message, "body"):
            return  # a stream may still send its end after the client has left
        is_start = kind == "http.response.start"
        raise BrokenRule("answered-twice" if is_start else "response-cut-short")

    def _start(self, message) -> None:
        headers = dict.get(message, "headers", [])
        _check_headers(headers)
        if self.response is Response.STARTED:
            reason = "HTTP response has already been started"
            raise BrokenRule("started-twice", ValueError(reason))
        self.response = Response.STARTED
        if "status" not in message:
            reason = "Specifying a status code is required for a Response message."
            raise BrokenRule("status-missing", ValueError(reason))
        status = dict.get(message, "status")
        if not isinstance(status, int):
            # Twisted writes the status line with the first body.
            reason = f"%d format: a real number is required, not {type(status).__name__}"
            self._status_error = TypeError(reason)
            raise BrokenRule("status-not-int", remark=_type_text("status", status, "an int"))
        for name, _ in headers:
            if not _TOKEN.fullmatch(name):
                raise BrokenRule("header-name-invalid", ValueError(bytes.__bytes__(name)))

    def _body(self, message) -> None:
        if self.response is Response.AWAITED:
            reason = "HTTP response has not yet been started but got http.response.body"
            raise BrokenRule("body-before-start", ValueError(reason))
        if self._status_error:
            raise BrokenRule("status-not-int", self._status_error)
        data = dict.get(message, "body", b"")
        if not isinstance(data, bytes):
            # Daphne ignores the type of an empty body. Other servers do not.
            error = TypeError("Data must be bytes") if data else None
            raise BrokenRule("body-not-bytes", error)
        if not dict.get(message, "more_body", False):
            self.response = Response.COMPLETE


_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2


def _check_headers(headers) -> None:
    try:
        for name, value in headers:
            for part, item in (("name", name), ("value", value)):
                if not isinstance(item, bytes):
                    expected = f"expected to be `bytes`, but got `{type(item)}`"
                    error = ValueError(f"Header {part} '{item}' {expected}")
                    raise BrokenRule("headers-not-bytes", error)
    except (TypeError, ValueError) as error:  # not pairs
        raise BrokenRule("headers-not-pairs", error) from None
