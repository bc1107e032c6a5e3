"""What Daphne does with each message that a consumer sends, over WebSocket and over HTTP.

Every rule is Daphne's own: daphne/ws_protocol.py and http_protocol.py, handle_reply; autobahn,
sendMessage and sendClose; daphne/server.py, check_headers_type. tests/facts/test_facts_daphne.py
and test_facts_http.py compare each rule with a real server.
"""

from enum import Enum


class State(Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"  # the consumer sent websocket.close
    REJECTED = "rejected"  # the consumer sent websocket.close before it accepted
    DISCONNECTED = "disconnected"  # the client has left


class Disconnected(RuntimeError):
    """As autobahn's exception of that name: a frame was sent after the close frame."""


class BrokenRule(Exception):
    """A message that Daphne does not accept.

    `diagnosis` is an id of the catalogue. `error` is the exception that Daphne raises in the
    consumer, or None if Daphne drops the message silently.
    """

    def __init__(self, diagnosis: str, error: Exception | None = None):
        super().__init__(diagnosis)
        self.diagnosis = diagnosis
        self.error = error


def type_of(message) -> str:
    """The type of a message that a consumer sent. Raises BrokenRule if it has no type."""
    if not isinstance(message, dict):
        raise BrokenRule("reply-not-a-dict", TypeError("a message must be a dict"))
    if "type" not in message:
        raise BrokenRule("reply-without-type", KeyError("type"))
    return message["type"]


class WebSocketRules:
    """Follows one WebSocket: `state` and `close_code` are its current state.

    FakeServer uses every name without an underscore. HttpRules has the same names.
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
    def disconnect_event(self) -> dict | None:
        """The event that the server sends once the consumer itself has closed the connection."""
        if self.close_code is None:
            return None
        return {"type": self.disconnect_type, "code": self.close_code}

    @property
    def late_exception(self) -> str | None:
        """The diagnosis for a handler that raises after it rejected the handshake."""
        return "answered-after-refusal" if self.state is State.REJECTED else None

    def fault_of_stopped(self) -> str | None:
        """The diagnosis for a consumer that has stopped in this state."""
        return {State.OPEN: "zombie", State.CONNECTING: "stopped-unanswered"}.get(self.state)

    def fault_of_waiting(self, last_type: str) -> str | None:
        """The diagnosis for a consumer that has handled `last_type` and waits for an event."""
        if self.client_left:
            return "no-stop-consumer"
        is_unanswered = last_type == "websocket.connect" and self.state is State.CONNECTING
        return "no-accept" if is_unanswered else None

    def apply(self, message) -> None:
        """Apply a message that the consumer sent. Raises BrokenRule."""
        rules = {
            "websocket.accept": self._accept,
            "websocket.send": self._send,
            "websocket.close": self._close,
        }
        rule = rules.get(type_of(message))
        if rule is None:
            raise BrokenRule("unknown-event-type")
        if self.state is not State.DISCONNECTED:
            rule(message)

    def disconnect(self) -> None:
        """The client has left."""
        self.state = State.DISCONNECTED

    def _accept(self, message) -> None:
        if self.state is State.REJECTED:
            raise BrokenRule("answered-after-refusal")
        if self.state is not State.CONNECTING:
            reason = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
            raise BrokenRule("accept-twice", AttributeError(reason))
        chosen = message.get("subprotocol")
        if chosen is not None and chosen not in self.offered:
            # Daphne raises nothing. The handshake never ends, and Daphne drops it after 5 s.
            raise BrokenRule("subprotocol-not-offered")
        self.state = State.OPEN

    def _send(self, message) -> None:
        if self.state is State.REJECTED:
            raise BrokenRule("answered-after-refusal")
        if self.state is State.CONNECTING:
            reason = "Socket has not been accepted, so cannot send over it"
            raise BrokenRule("send-before-accept", ValueError(reason))
        text, data = message.get("text"), message.get("bytes")
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
        if self.state is State.CLOSING and (text or data):
            error = Disconnected("Attempt to send on a closed protocol")
            raise BrokenRule("send-after-close", error)
        if text is None and data is None:
            raise BrokenRule("send-without-payload")

    def _close(self, message) -> None:
        code = message.get("code")
        if self.state is State.CONNECTING:
            self.state, self.close_code = State.REJECTED, 1006
            if code not in (None, 1000):
                raise BrokenRule("code-before-accept")
            return
        if self.state is State.REJECTED:
            return
        if code is not None and type(code) is not int:
            reason = f"invalid type '{type(code)}' for close code (must be an integer)"
            raise BrokenRule("forbidden-close-code", Exception(reason))
        if code is not None and not _may_be_sent(code):
            reason = f"invalid close code {code} (must be 1000 or from [3000, 4999])"
            raise BrokenRule("forbidden-close-code", Exception(reason))
        if self.state is State.OPEN:
            self.state, self.close_code = State.CLOSING, 1000 if code is None else code


def _may_be_sent(code: int) -> bool:
    """RFC 6455, section 7.4.2: of the codes an application may use, autobahn sends only these."""
    return code == 1000 or 3000 <= code <= 4999


class Response(Enum):
    AWAITED = "awaited"
    STARTED = "started"
    COMPLETE = "complete"  # a body without more_body has been sent


class HttpRules:
    """Follows one request: `response` says how much of the response was sent.

    FakeServer uses every name without an underscore. WebSocketRules has the same names.
    """

    disconnect_type = "http.disconnect"
    late_exception = None

    def __init__(self):
        self.response = Response.AWAITED
        self.client_left = False
        self._left_early = False

    @property
    def disconnect_event(self) -> dict | None:
        """Daphne sends http.disconnect after every complete response, too."""
        return {"type": self.disconnect_type} if self.response is Response.COMPLETE else None

    @property
    def late_handler(self) -> str:
        return "stream-outlives-client" if self._left_early else "handler-never-returned"

    @property
    def leftover_task(self) -> str:
        return "stream-outlives-client" if self._left_early else "task-left-behind"

    @property
    def silence(self) -> str:
        unanswered = self.response is Response.AWAITED
        return "response-missing" if unanswered else "response-not-finished"

    def disconnect(self) -> None:
        """The client has closed its connection, or the response is complete."""
        self._left_early = self.response is not Response.COMPLETE
        self.client_left = True

    def fault_of_stopped(self) -> str | None:
        is_whole = self.client_left or self.response is Response.COMPLETE
        return None if is_whole else self.silence

    def fault_of_waiting(self, last_type: str) -> str | None:
        """None for a missing response: a task may still be working on it."""
        return "http-no-stop-consumer" if self.client_left else None

    def apply(self, message) -> None:
        """Apply a message that the consumer sent. Raises BrokenRule."""
        rules = {"http.response.start": self._start, "http.response.body": self._body}
        kind = type_of(message)
        if self.response is Response.COMPLETE:
            if self.client_left and not message.get("body") and kind == "http.response.body":
                return  # a stream may still send its end after the client has left
            # Daphne drops it silently.
            is_start = kind == "http.response.start"
            raise BrokenRule("answered-twice" if is_start else "response-cut-short")
        if self.client_left:
            return
        if kind not in rules:
            reason = f"Cannot handle message type {kind}!"
            raise BrokenRule("unknown-response-type", ValueError(reason))
        rules[kind](message)

    def _start(self, message) -> None:
        _check_headers(message)
        if self.response is Response.STARTED:
            reason = "HTTP response has already been started"
            raise BrokenRule("started-twice", ValueError(reason))
        self.response = Response.STARTED
        if "status" not in message:
            reason = "Specifying a status code is required for a Response message."
            raise BrokenRule("status-missing", ValueError(reason))
        if not isinstance(message["status"], int):
            # Daphne accepts it. It raises when the first body makes it write the status line.
            raise BrokenRule("status-not-int")

    def _body(self, message) -> None:
        if self.response is Response.AWAITED:
            reason = "HTTP response has not yet been started but got http.response.body"
            raise BrokenRule("body-before-start", ValueError(reason))
        _check_body(message.get("body", b""))
        if not message.get("more_body", False):
            self.response = Response.COMPLETE


def _check_headers(message) -> None:
    try:
        pairs = [(name, value) for name, value in message.get("headers", [])]
    except (TypeError, ValueError) as error:
        raise BrokenRule("headers-not-pairs", error) from None
    for name, value in pairs:
        for part, item in (("name", name), ("value", value)):
            if not isinstance(item, bytes):
                reason = f"Header {part} '{item}' expected to be `bytes`, but got `{type(item)}`"
                raise BrokenRule("headers-not-bytes", ValueError(reason))


def _check_body(data) -> None:
    if isinstance(data, bytes):
        return
    try:
        is_empty = not len(data)
    except TypeError as error:
        raise BrokenRule("body-not-bytes", error) from None
    # Daphne ignores the type of an empty body. Other servers do not.
    raise BrokenRule("body-not-bytes", None if is_empty else TypeError("Data must be bytes"))
