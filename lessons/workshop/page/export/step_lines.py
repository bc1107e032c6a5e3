"""Writes the steps of a conversation as lines of a test: what clients send and must receive."""

import builtins
import re
import textwrap
from collections.abc import Callable, Iterator

from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.python_literal import indented_literal, python_literal
from lessons.workshop.engine.recording.redaction import HIDDEN
from lessons.workshop.engine.script.report import BurstReport
from lessons.workshop.engine.script.steps import Step, tickets_in
from lessons.workshop.engine.world.clock import BEGINNING
from lessons.workshop.page.export.tickets import variable

WIDTH = 100  # of a line
INDENT = "        "  # of the conversation's lines

# Text that differs in every run: a channel name, a session key, the time of day, a secret.
_VOLATILE = re.compile(
    rf"specific\.check!\d+|0{{20,}}\d+|{BEGINNING:%Y-%m-%dT}[.+:\dZ]*"
    rf"|{re.escape(HIDDEN)}"
)


class StepLines:
    """Writes the lines of one conversation.

    `home` is the lesson's own path. `application_of(step)` is the expression for what a client
    connects to. `sends_ticket_in_header` says how a client shows its ticket: in the header
    `Authorization`, or in the query.
    """

    def __init__(
        self,
        steps: list[Step],
        home: str,
        application_of: Callable[[Step], str],
        sends_ticket_in_header: bool,
    ):
        self._is_single = len({step.client for step in steps if step.kind.begins}) == 1
        self._home = home
        self._application_of = application_of
        self._sends_ticket_in_header = sends_ticket_in_header

    def of(self, step: Step, turn: BurstReport) -> Iterator[str]:
        """The lines of one step: what its client sends, and each event that follows, in order."""
        if step.kind.begins:
            yield f"{self._client(step.client)} = {self._communicator(step)}"
        directions = []
        for number, event in turn.events:
            taken = step if number == step.client else None
            lines = _event_lines(self._client(number), event, taken)
            yield from lines
            directions += [event.direction] if lines else []
        if step.action in ("connect", "text", "bytes") and set(directions) == {"in"}:
            yield f"assert await {self._client(step.client)}.receive_nothing()"

    def _client(self, number: int) -> str:
        return "client" if self._is_single else f"client_{number}"

    def _communicator(self, step: Step) -> str:
        given, path = step.arguments, step.arguments.get("path", self._home)
        application = self._application_of(step)
        if step.kind.is_request:
            arguments = f'{application}, "{step.action}", {python_literal(path)}'
            return f"HttpCommunicator({arguments})"
        ticket = variable("ticket", given["ticket"]) if "ticket" in given else None
        if ticket and not self._sends_ticket_in_header:
            path = f"{python_literal(f'{path}?ticket=')} + {ticket}"
        else:
            path = python_literal(path + (f"?{given['query']}" if "query" in given else ""))
        arguments = [application, path]
        headers = [f"*{variable('user', given['as'])}"] if "as" in given else []
        if ticket and self._sends_ticket_in_header:
            headers.append(f'(b"authorization", b"Ticket " + {ticket}.encode())')
        if "origin" in given:
            headers.append(python_literal((b"origin", given["origin"].encode())))
        if len(headers) == 1 and headers[0][0] == "*":
            arguments.append(f"headers={headers[0][1:]}")
        elif headers:
            arguments.append(f"headers=[{', '.join(headers)}]")
        if "subprotocols" in given:
            arguments.append(f"subprotocols={python_literal(given['subprotocols'])}")
        line = f"WebsocketCommunicator({', '.join(arguments)})"
        if len(f"{INDENT}client_1 = {line}") <= WIDTH:
            return line
        lines = "".join(f"    {argument},\n" for argument in arguments)
        return f"WebsocketCommunicator(\n{lines})"


def _event_lines(client: str, event: Event, step: Step | None) -> list[str]:
    """The lines for one event; `step` is the one that its own client took."""
    message = event.message
    if event.lane == "consumer" and message["type"] == "raised":
        return _raised(client, message["error"])
    if event.lane == "consumer":
        return [f"await {client}.wait(TIMEOUT)"]
    if event.lane != "client" or message["type"] == "scope":
        return []
    if event.direction == "in":
        if message["type"] == "websocket.receive" and step:  # the recorded frame has no secrets
            data = step.arguments.get("text", bytes.fromhex(step.arguments.get("hex", "")))
            message = {"type": message["type"], step.action: data}
        return [_with_variables(_fitted(f"await {client}.send_input(", message, ")"), step)]
    text = message.get("text")
    if isinstance(text, str) and _VOLATILE.search(text):
        pattern = ".+".join(map(re.escape, _VOLATILE.split(text)))
        received = f'(await {client}.receive_output(TIMEOUT))["text"]'
        return [f"assert re.fullmatch({python_literal(pattern)}, {received})"]
    return [_fitted(f"assert await {client}.receive_output(TIMEOUT) == ", message)]


def _with_variables(line: str, step: Step | None) -> str:
    """The line with a variable for each `{token=ada}` in the text that the step sends."""
    for options in tickets_in(step) if step else ():
        quote, name = python_literal(step.arguments["text"])[0], options["ticket"]
        value = f"{quote} + {variable('ticket', name)} + {quote}"
        line = line.replace(f"{{token={name}}}", value)
    return line


def _fitted(before: str, message: dict, after: str = "") -> str:
    """The message as a literal, on several lines if it is too wide for one."""
    literal = python_literal(message)
    line = f"{before}{literal}{after}"
    if len(INDENT + line) <= WIDTH:
        return line
    width = min(WIDTH - len(INDENT), len(literal) - 1)
    literal = indented_literal(message, width)
    if after:
        literal = f"\n{textwrap.indent(literal, '    ')}\n"
    return f"{before}{literal}{after}"


def _raised(client: str, error: str) -> list[str]:
    name, _, text = error.partition(": ")
    known = name if isinstance(getattr(builtins, name, None), type) else "Exception"
    match = f", match={python_literal(re.escape(text))}" if text else ""
    return [f"with pytest.raises({known}{match}):", f"    await {client}.wait(TIMEOUT)"]
