"""What Daphne does with each message that answers an HTTP request.

Every rule is Daphne's own (daphne/http_protocol.py, handle_reply; daphne/server.py,
check_headers_type); tests/facts/test_facts_http.py holds each against a real server.
"""

from enum import Enum

from lessons.simulator.websocket_rules import BrokenRule, type_of


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
