"""What Daphne does with each message that a consumer sends: the rules of a handshake and a socket.

Every rule is Daphne's own (daphne/ws_protocol.py, handle_reply; autobahn's sendMessage, sendClose);
tests/facts/test_facts_daphne.py holds each against a real server.
"""

from enum import Enum


class State(Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"  # the consumer sent websocket.close
    REFUSED = "refused"
    GONE = "gone"  # the client has left


class Disconnected(RuntimeError):
    """Stands for autobahn's exception of that name: a frame was sent after the close frame."""


class BrokenRule(Exception):
    """A message that Daphne would not take.

    `diagnosis` is an id of the catalogue. `error` is what Daphne raises inside the consumer, or
    None where it drops the message without a word.
    """

    def __init__(self, diagnosis: str, error: Exception | None = None):
        super().__init__(diagnosis)
        self.diagnosis = diagnosis
        self.error = error


def type_of(message) -> str:
    """The type of a message that a consumer sent. Raises BrokenRule where it has none."""
    if not isinstance(message, dict):
        raise BrokenRule("reply-not-a-dict", TypeError("a message must be a dict"))
    if "type" not in message:
        raise BrokenRule("reply-without-type", KeyError("type"))
    return message["type"]


class DaphneRules:
    """Follows one WebSocket; `state` and `close_code` tell how it stands.

    What FakeServer asks of any protocol's rules has no underscore; HttpRules answers the same.
    """

    leaving = "websocket.disconnect"  # the event that tells of the client's end
    overdue = "handler-never-returned"  # the diagnosis of a handler that outlives the client
    left_behind = "task-left-behind"  # and of a task that does
    silence = "no-reply"  # and of a client that waits in vain

    def __init__(self, subprotocols=()):
        self.state = State.CONNECTING
        self.close_code: int | None = None
        self.offered = list(subprotocols)

    @property
    def gone(self) -> bool:
        return self.state is State.GONE

    @property
    def farewell(self) -> dict | None:
        """What the server tells a consumer that has ended the connection itself."""
        if self.close_code is None:
            return None
        return {"type": self.leaving, "code": self.close_code}

    @property
    def fault_of_going_on(self) -> str | None:
        """Id of the diagnosis for a handler that raised where it had nothing left to do."""
        return "answered-after-refusal" if self.state is State.REFUSED else None

    def fault_at_the_end(self) -> str | None:
        """Id of the diagnosis for a consumer that has stopped as things stand."""
        return {State.OPEN: "zombie", State.CONNECTING: "stopped-unanswered"}.get(self.state)

    def fault_in_a_pause(self, last_type: str) -> str | None:
        """Id of the diagnosis for a consumer that waits, its handler for `last_type` done."""
        if self.gone:
            return "no-stop-consumer"
        is_unanswered = last_type == "websocket.connect" and self.state is State.CONNECTING
        return "no-accept" if is_unanswered else None

    def take(self, message) -> None:
        """Apply a message that the consumer sent. Raises BrokenRule."""
        rules = {
            "websocket.accept": self._accept,
            "websocket.send": self._send,
            "websocket.close": self._close,
        }
        rule = rules.get(type_of(message))
        if rule is None:
            raise BrokenRule("unknown-event-type")
        if self.state is not State.GONE:
            rule(message)

    def client_left(self) -> None:
        self.state = State.GONE

    def _accept(self, message) -> None:
        if self.state is State.REFUSED:
            raise BrokenRule("answered-after-refusal")
        if self.state is not State.CONNECTING:
            lost = "'WebSocketProtocol' object has no attribute 'handshake_deferred'"
            raise BrokenRule("accept-twice", AttributeError(lost))
        chosen = message.get("subprotocol")
        if chosen is not None and chosen not in self.offered:
            # Daphne raises nothing here, the handshake never ends and is given up after 5 s.
            raise BrokenRule("subprotocol-not-offered")
        self.state = State.OPEN

    def _send(self, message) -> None:
        if self.state is State.REFUSED:
            raise BrokenRule("answered-after-refusal")
        if self.state is State.CONNECTING:
            early = "Socket has not been accepted, so cannot send over it"
            raise BrokenRule("send-before-accept", ValueError(early))
        text, data = message.get("text"), message.get("bytes")
        if text and data:
            both = f"Got invalid WebSocket reply message on {message}"
            raise BrokenRule("both-keys", ValueError(f"{both} - contains both bytes and text keys"))
        # What counts as false, {} or 0, Daphne drops without looking at its type.
        if text is not None and not isinstance(text, str):
            lost = f"'{type(text).__name__}' object has no attribute 'encode'"
            raise BrokenRule("payload-not-text", AttributeError(lost) if text else None)
        if data is not None and type(data) is not bytes:
            wrong = f'"payload" must have type bytes, but was "{type(data)}"'
            raise BrokenRule("payload-not-bytes", AssertionError(wrong) if data else None)
        if self.state is State.CLOSING and (text or data):
            late = Disconnected("Attempt to send on a closed protocol")
            raise BrokenRule("send-after-close", late)
        if text is None and data is None:
            raise BrokenRule("send-without-payload")

    def _close(self, message) -> None:
        code = message.get("code")
        if self.state is State.CONNECTING:
            self.state, self.close_code = State.REFUSED, 1006
            if code not in (None, 1000):
                raise BrokenRule("code-before-accept")
            return
        if self.state is State.REFUSED:
            return
        if code is not None and (type(code) is not int or not _may_be_sent(code)):
            wrong = f"invalid close code {code} (must be 1000 or from [3000, 4999])"
            raise BrokenRule("forbidden-close-code", Exception(wrong))
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
    """Follows one request; `response` tells how far the answer to it has come.

    What has no underscore is what FakeServer asks of any protocol's rules, as of DaphneRules.
    """

    leaving = "http.disconnect"
    fault_of_going_on = None

    def __init__(self):
        self.response = Response.AWAITED
        self.gone = False
        self._left_early = False

    @property
    def farewell(self) -> dict | None:
        """Daphne says http.disconnect after every complete response too."""
        return {"type": self.leaving} if self.response is Response.COMPLETE else None

    @property
    def overdue(self) -> str:
        return "stream-outlives-client" if self._left_early else "handler-never-returned"

    @property
    def left_behind(self) -> str:
        return "stream-outlives-client" if self._left_early else "task-left-behind"

    @property
    def silence(self) -> str:
        unanswered = self.response is Response.AWAITED
        return "response-missing" if unanswered else "response-not-finished"

    def client_left(self) -> None:
        """The client has closed its connection, or the response is complete."""
        self._left_early = self.response is not Response.COMPLETE
        self.gone = True

    def fault_at_the_end(self) -> str | None:
        is_whole = self.gone or self.response is Response.COMPLETE
        return None if is_whole else self.silence

    def fault_in_a_pause(self, last_type: str) -> str | None:
        """Who waits without an answer may have a task at work on it: only the client can tell."""
        return "http-no-stop-consumer" if self.gone else None

    def take(self, message) -> None:
        """Apply a message that the consumer sent. Raises BrokenRule."""
        rules = {"http.response.start": self._start, "http.response.body": self._body}
        kind = type_of(message)
        if self.response is Response.COMPLETE:
            if self.gone and not message.get("body") and kind == "http.response.body":
                return  # the end of a stream, said to whoever it was that ended it
            # Daphne drops it without a word.
            again = kind == "http.response.start"
            raise BrokenRule("answered-twice" if again else "response-cut-short")
        if self.gone:
            return
        if kind not in rules:
            wrong = f"Cannot handle message type {kind}!"
            raise BrokenRule("unknown-response-type", ValueError(wrong))
        rules[kind](message)

    def _start(self, message) -> None:
        _check_headers(message)
        if self.response is Response.STARTED:
            again = "HTTP response has already been started"
            raise BrokenRule("started-twice", ValueError(again))
        self.response = Response.STARTED
        if "status" not in message:
            lacks = "Specifying a status code is required for a Response message."
            raise BrokenRule("status-missing", ValueError(lacks))
        if not isinstance(message["status"], int):
            # Daphne takes it, and raises when the first body makes it write the status line.
            raise BrokenRule("status-not-int")

    def _body(self, message) -> None:
        if self.response is Response.AWAITED:
            early = "HTTP response has not yet been started but got http.response.body"
            raise BrokenRule("body-before-start", ValueError(early))
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
                wrong = f"Header {part} '{item}' expected to be `bytes`, but got `{type(item)}`"
                raise BrokenRule("headers-not-bytes", ValueError(wrong))


def _check_body(data) -> None:
    if isinstance(data, bytes):
        return
    try:
        is_empty = not len(data)
    except TypeError as error:
        raise BrokenRule("body-not-bytes", error) from None
    # Of what is empty Daphne does not look at the type; other servers do.
    raise BrokenRule("body-not-bytes", None if is_empty else TypeError("Data must be bytes"))
