"""Compares what happened in a conversation with what a model expects: the first difference.

Several steps in the air at the same time may happen in any order. So the judge keeps every state in
which the model can be, and a difference is what fits none of them.
"""

import unicodedata
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..faults.finding import Finding, Place, make_finding
from ..recording.events import Event
from ..recording.transcript import (
    differing_places,
    event_text,
    first_difference,
    normalize,
    render_difference,
)
from ..script.report import BurstReport, ClientReport, Report
from ..script.steps import Step, bursts_of, filled_in, setup_of
from ..world.daphne_rules import CODE_DROPPED, ignored_keys_text, with_meant_keys
from .expected import Answer, Arrival, Expected, as_received, still_expected
from .model import LEFT, Model, ModelClient, distinct

MAX_STATES = 32  # of the model, after steps whose order is open
MAX_STEP = 60  # characters of a step that a sentence shows
MAX_SHOWN = 400  # characters of an answer that a finding shows
SHOWN_AROUND = 3  # messages before and after the first difference that a finding shows


@dataclass
class Difference:
    """The first thing in a conversation that the model does not allow.

    It shows in the burst with this number. `step` is the step that led to it, `client` the number
    of the client that sees it, or None. `wanted` is what this client had to receive in the burst.
    `fault` is a finding that needs no model, `answer` what a step such as `rows` has returned.
    `model` is a state that the model could be in. `events` are all events of the conversation: a
    diagnosis may look at the queries and at the calls of the layer.
    """

    steps: list[Step]
    burst: int
    played: Report
    model: Model | None = None
    step: Step | None = None
    client: int | None = None
    wanted: list[Expected] = field(default_factory=list)
    answer: object = None
    expected_answer: Answer | None = None
    fault: Finding | None = None
    events: tuple[Event, ...] = ()

    @property
    def report(self) -> BurstReport:
        """What happened in the burst: nothing if it was not played."""
        return next(iter(self.played.bursts[self.burst : self.burst + 1]), BurstReport(()))

    @property
    def seen(self) -> ClientReport | None:
        """What the client saw of the burst."""
        return self.report.clients.get(self.client)

    @property
    def expected(self) -> list[dict]:
        """The messages that the client had to receive in the burst."""
        return [item.message for item in self.wanted]

    @property
    def arrivals(self) -> Sequence[Arrival]:
        """The messages that the client received in the burst, each with its time."""
        return self.seen.received if self.seen else ()

    @property
    def received(self) -> list[dict]:
        return [message for _, message in self.arrivals]

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.arrivals]

    @property
    def steps_so_far(self) -> list[Step]:
        """The steps up to the burst in which the difference shows."""
        setup = [step for step in self.steps if step.kind.is_setup]
        return [*setup, *(step for it in bursts_of(self.steps)[: self.burst + 1] for step in it)]

    @property
    def steps_of_burst(self) -> list[Step]:
        """The steps that were taken at the same time as the one that led to the difference."""
        return bursts_of(self.steps)[self.burst]

    @property
    def first(self) -> int:
        """The index of the first message that differs."""
        found = first_difference(self.expected, self.received)
        if found is None:  # a server treats them the same, but the exercise may not
            pairs = enumerate(zip(self.wanted, self.received, strict=False))
            found = next((n for n, (it, message) in pairs if not it.accepts(message)), None)
        return min(len(self.expected), len(self.received)) if found is None else found

    @property
    def late(self) -> int | None:
        """The index of the first message that came at a wrong time, if all messages are right."""
        if self.fault or self.client is None or self.expected != self.received:
            return None
        pairs = enumerate(zip(self.wanted, self.times, strict=True))
        return next((n for n, (it, time) in pairs if not it.is_in_time(time)), None)

    @property
    def refused(self) -> int | None:
        """The index of the first message that does not fit the response; None if all do."""
        own = self.model.clients.get(self.client) if self.model else None
        stream = own and own.stream
        if stream is None or stream.after_all(self.arrivals).fits():
            return None
        counts = range(1, len(self.arrivals))  # what does not fit does not fit with more behind it
        return bisect(counts, False, key=lambda it: not stream.after_all(self.arrivals[:it]).fits())

    @property
    def missing(self) -> dict | None:
        """The first message that was expected and not received, if it is just missing."""
        expected, received = self._sides
        return expected if received is None else None

    @property
    def surplus(self) -> dict | None:
        """The first message that came after all that was expected."""
        expected, received = self._sides
        return received if expected is None else None

    @property
    def pair(self) -> tuple[dict, dict] | None:
        """The first expected and received message that differ, if there are both."""
        return None if None in self._sides else self._sides

    @property
    def _sides(self) -> tuple[dict | None, dict | None]:
        """The first expected and received message that differ; None where no message is left."""
        sides = self.expected, self.received
        return tuple(it[self.first] if self.first < len(it) else None for it in sides)

    @property
    def is_unreached(self) -> bool:
        """Whether another client or process asked for the message, but no event has arrived.

        What may come later may be the answer to an earlier step.
        """
        steps = [it.step for it in self.wanted[self.first :][:1] if it.until is None and it.step]
        is_idle = self.seen is not None and not self.seen.handled
        return is_idle and any(step.client != self.client for step in steps)

    @property
    def is_of_several(self) -> bool:
        """Whether any of several steps of others may have led to a surplus message."""
        burst = self.steps_of_burst if self.step and self.surplus else []
        return len(burst) > 1 and all(step.client != self.client for step in burst)

    def texts(self, messages: Sequence[dict]) -> list:
        """The texts of the frames among some messages."""
        frames = (it for it in messages if it.get("type") == "websocket.send")
        return [it["text"] for it in frames if "text" in it]


def find_difference(model: Model, steps: list[Step], played: Report) -> Difference | None:
    """The first difference between a conversation and what `model`, in its first state, allows.

    If the consumer only failed to do something, the cause may show at the end.
    """
    difference = _first_difference(model, steps, played)
    if difference and _is_silence(difference):
        causes = [it for it in played.leftovers if it.diagnosis in _CAUSES]
        if not causes and not difference.fault:
            causes = [it for it in played.leftovers if it.diagnosis == "receiver-gone"]
        difference.fault = causes[0] if causes else difference.fault
    return difference


def _first_difference(model: Model, steps: list[Step], played: Report) -> Difference | None:
    states, channels = [model], {}
    model.capacity = setup_of(steps).get("capacity", model.capacity)
    for number, burst in enumerate(bursts_of(steps)):
        burst = [filled_in(step, channels) for step in burst]
        if number >= len(played.bursts):
            fault = _fault_of_end(played) or make_finding("process-died")
            return Difference(steps, number, played, step=burst[0], fault=fault)
        turn = played.bursts[number]
        tried = []
        for state in states:
            state.begin_burst(burst, channels, turn)
            for after in state.states_after(burst):
                tried += [Comparison(it, turn) for it in after.states_at(turn)]
        states = distinct(it.model for it in tried if it.rank == FITS)[:MAX_STATES]
        if not states:
            nearest = max(tried, key=lambda it: it.rank)
            return nearest.explain(Difference(steps, number, played, nearest.model), burst)
        channels = states[0].channels_now
        if found := states[0].fault_in(turn, played):
            return _fault_of_model(Difference(steps, number, played, states[0]), *found)
    if fault := _fault_of_end(played, model.allowed_faults):
        last = max(len(played.bursts) - 1, 0)
        return Difference(steps, last, played, states[0], fault=fault)
    for number, turn in enumerate(played.bursts):
        if found := states[0].fault_at_end(turn):
            return _fault_of_model(Difference(steps, number, played, states[0]), *found)
    return None


def _fault_of_model(difference, client, name, detail) -> Difference:
    """The Difference for what the model has found in a burst."""
    difference.client, difference.step = client, _step_of(difference.steps_of_burst, client)
    place = difference.seen.place if difference.seen else Place()
    difference.fault = make_finding(name, place, detail=detail)
    return difference


FITS = True, True, 0


class Comparison:
    """A state of the model after a burst, beside what was played.

    A state that fits better has a higher `rank`: without a fault, with the right answers, and with
    more clients that received what they must.
    """

    def __init__(self, model: Model, turn: BurstReport):
        self.model, self.turn = model, turn
        self.fault = next((it for it in turn.faults if not self._is_allowed(it)), None)
        pairs = enumerate(zip(model.answers, turn.answers, strict=True))
        wrong = (index for index, (wanted, it) in pairs if wanted and not wanted.accepts(it))
        self.wrong_answer: int | None = next(wrong, None)
        self.wrong_clients: list[ModelClient] = []
        if self.fault is None and self.wrong_answer is None:
            self._compare_clients()

    @property
    def rank(self) -> tuple[bool, bool, int]:
        return self.fault is None, self.wrong_answer is None, -len(self.wrong_clients)

    def _is_allowed(self, fault) -> bool:
        """Whether the model allows what the server reports as a fault."""
        client, seen = self.model.clients.get(fault.client), self.turn.clients.get(fault.client)
        if client is None:
            return False
        if fault.finding.diagnosis in self.model.allowed_faults:
            return True
        is_dropped_code = fault.finding.diagnosis == CODE_DROPPED
        # If the client had to be accepted and stay, the rejection itself is wrong, not its code.
        types = {item.message["type"] for item in client.expected}
        must_stay = "websocket.accept" in types and "websocket.close" not in types
        return (is_dropped_code and (client.may_have_code or must_stay)) or client.has_failed(seen)

    def _compare_clients(self) -> None:
        still_to_come = []
        for client in self.model.clients.values():
            seen = self.turn.clients.get(client.number)
            received = seen.received if seen else ()
            # A client that leaves may miss what is sent in the same burst.
            may_end, now = client.left_itself, self.model.now
            rest = still_expected(client.expected, received, now, may_end)
            rest = [] if client.is_free else rest
            if rest is None or self._does_not_fail(client) or self._fault_of_stop(client, seen):
                self.wrong_clients.append(client)
            elif client.state == LEFT:  # it receives nothing later
                rest = [item for item in rest if item.until is None]
            still_to_come.append(rest)
        if not self.wrong_clients:
            for client, rest in zip(self.model.clients.values(), still_to_come, strict=True):
                client.expected = rest

    def _does_not_fail(self, client: ModelClient) -> bool:
        """Whether the consumer has not raised what it must."""
        seen = self.turn.clients.get(client.number)
        return client.error is not None and not client.has_failed(seen)

    def _fault_of_stop(self, client: ModelClient, seen: ClientReport | None) -> Finding | None:
        """What shows that the consumer goes on after its end."""
        if seen is None:
            return None
        if client.must_stop and not seen.ended:
            code = "handler-never-returned" if seen.is_busy else "no-stop-consumer"
            return make_finding(code, seen.place, "websocket.disconnect")
        if self.model.silent_after_disconnect and seen.too_late:
            detail = "\n".join(f"sent: {message}" for message in seen.too_late)
            return make_finding("send-after-disconnect", seen.place, "websocket.disconnect", detail)
        if self.model.closes_once and seen.second_closes:
            return make_finding("closed-twice", seen.second_closes[0])
        return None

    def explain(self, difference: Difference, burst: list[Step]) -> Difference:
        """Say in a Difference why the state does not fit."""
        if (index := self.wrong_answer) is not None and self.fault is None:
            difference.answer, difference.step = self.turn.answers[index], burst[index]
            difference.expected_answer = self.model.answers[index]
            return difference
        if self.fault is not None:
            difference.client, difference.fault = self.fault.client, self.fault.finding
            own = self.model.clients.get(self.fault.client)
            for item in own.expected if own and not own.left_itself else ():
                if item.until is None and not item.may_miss:
                    difference.wanted += item.parts(self.model.now)
        else:
            self._explain_client(difference, self.wrong_clients[0])
        difference.step = _step_of(burst, difference.client)
        return difference

    def _explain_client(self, difference: Difference, client: ModelClient) -> None:
        difference.client = client.number
        seen, received = difference.seen, difference.received
        difference.wanted = as_received(client.expected, received, self.model.now)
        if self._does_not_fail(client):
            message = {"type": "raised", "error": client.error}
            raised = Expected(message, promise=self.model.last_promise)
            difference.wanted = [*difference.wanted, raised]
        if difference.expected == received:
            difference.fault = self._fault_of_stop(client, seen)


def _fault_of_end(played: Report, allowed: Sequence[str] = ()) -> Finding | None:
    """A forgotten await leads to other faults, not the reverse. So does sys.exit()."""
    leftovers = [it for it in played.leftovers if it.diagnosis not in allowed]
    leftovers.sort(key=lambda it: it.diagnosis not in _CAUSES)
    return played.stuck or next(iter(leftovers), None)


_CAUSES = {"never-awaited", "layer-not-called", "async-handler-in-sync-consumer", "calls-exit"}
_SILENCES = {
    *("no-accept", "no-stop-consumer", "work-left-out"),
    *("group-leak", "group-leak-after-a-crash", "cancelled-while-joining"),
}


def _is_silence(difference: Difference) -> bool:
    """Whether the consumer only failed to do something."""
    if fault := difference.fault:
        return "coroutine" in fault.detail or fault.diagnosis in _SILENCES
    expected, received = (
        [normalize(message) for message in it] for it in (difference.expected, difference.received)
    )
    rest = iter(expected)
    is_incomplete = len(received) < len(expected) and all(it in rest for it in received)
    return difference.missing is not None or is_incomplete


def _step_of(burst: list[Step], client: int | None) -> Step:
    own = [step for step in burst if step.client == client]
    return own[-1] if own else burst[0]


def ignored_keys_of(difference: Difference) -> str:
    """What to say about keys that Daphne ignores in the first message that differs."""
    first = difference.first
    return "\n".join(ignored_keys_text(it) for it in difference.received[first : first + 1])


def is_misspelt(difference: Difference) -> bool:
    """Whether the message would be right if a key that Daphne ignores had its right name."""
    if difference.fault or not difference.pair:
        return False
    expected, received = difference.pair
    meant = with_meant_keys(received)
    return meant != received and normalize(expected) == normalize(meant)


def detail_of(difference: Difference) -> str:
    """The difference in words, then the messages around it: expected beside received."""
    if difference.step is not None and difference.client is None and not difference.fault:
        return in_words(difference)
    first = difference.first
    begin, end = max(0, first - SHOWN_AROUND), first + SHOWN_AROUND + 1
    around = slice(begin, end)
    parts = [] if difference.fault else [in_words(difference)]
    if begin:
        parts.append(f"(after {begin} messages that are right)")
    sides = difference.expected[around], difference.received[around]
    parts.append(render_difference(*sides, first - begin if difference.pair else None))
    rest = max(len(difference.expected), len(difference.received)) - end
    if rest > 0:
        parts.append(f"(and {rest} more)")
    parts += filter(None, (ignored_keys_of(difference), _characters_text(difference)))
    return "\n".join(parts)


def _characters_text(difference: Difference) -> str:
    """Both texts in ASCII if they look alike: the same letters, composed in another way."""
    expected, received = (it.get("text") for it in difference.pair or ({}, {}))
    if not isinstance(expected, str) or not isinstance(received, str) or expected == received:
        return ""
    if unicodedata.normalize("NFC", expected) != unicodedata.normalize("NFC", received):
        return ""
    expected, received = (ascii(text)[:MAX_SHOWN] for text in (expected, received))
    return f"Written in ASCII: expected {expected}, got {received}."


def in_words(difference: Difference) -> str:
    """One sentence: what happened after which step, and what had to happen."""
    client, index = difference.client, difference.first
    burst = difference.steps_of_burst if difference.is_of_several else [difference.step]
    step = " | ".join(map(str, burst))
    step = step if len(step) <= MAX_STEP else f"{step[:MAX_STEP]}…"
    after = f"After `{step}`," if difference.step else "Here"
    if client is None:
        wanted = difference.expected_answer
        expected = f"; expected {_short(wanted.shown)}" if wanted else ""
        if difference.answer == {"running": True}:
            return f"{after} the call had not returned{expected}."
        return f"{after} the answer was {_short(difference.answer)}{expected}."
    is_alone = {step.client for step in difference.steps} <= {client, None}
    whose = "the client" if is_alone else f"client {client}"
    if (late := difference.late) is not None:
        wanted, time = difference.wanted[late], difference.times[late]
        due = f"by {wanted.until:.4g}" if wanted.at is None else f"at {wanted.at:.4g}"
        came = _message_text(difference.received[late])
        return f"{after} {whose} received {came} at {time:.4g} s; it was due {due} s."
    if difference.missing:
        if difference.missing["type"] == "raised":
            error = difference.missing["error"] or "an exception"
            return f"{after} the consumer of {whose} did not raise {error}."
        return f"{after} {whose} did not receive {_message_text(difference.missing)}."
    if difference.surplus:
        return f"{after} {whose} received {_message_text(difference.surplus)}; expected no message."
    if difference.pair is None:
        return f"{after} {whose} received what it had to."
    expected, came = map(_message_text, difference.pair)
    if expected == came:  # they differ after the cut, or in a key that a server does not read
        places = differing_places(*difference.pair)
        expected, came = (event_text(it, places) for it in difference.pair)
    number = f" as message {index + 1}" if index else ""
    return f"{after} {whose} received {came}{number}; expected {expected}."


def _message_text(message: dict) -> str:
    """A message in words: a text frame is its text."""
    match message:
        case {"type": "websocket.send", "text": str(text)}:
            return _value_text("text", text)
        case {"type": "websocket.send", "bytes": bytes(data)}:
            return _value_text("bytes", data)
        case {"type": "websocket.accept"}:
            return "the accept"
        case {"type": "websocket.close", "code": code}:
            return f"a close with {code}"
        case {"type": "websocket.close"}:
            return "a close"
    return event_text(message)


def _value_text(key: str, value: str | bytes) -> str:
    """A payload as a transcript shows it: without line ends, and not too long."""
    return event_text({"type": "websocket.send", key: value}).partition(f"{key}: ")[2]


def held_text(difference: Difference) -> str:
    """Where each other handler waited when the step with `at` was taken."""
    steps = [str(step) for step in difference.steps_of_burst if step.point is not None]
    if not steps:
        return ""
    acts = steps[0].split(" ", 2)[2]
    return "\n".join(
        f"Client {client} waited at line {line}, in {handler}.\nThen came the step: {acts}"
        for client, line, handler in difference.report.held
    )


def _short(value) -> str:
    text = repr(value)
    cut = len(text) - MAX_SHOWN
    return text if cut <= 0 else f"{text[:MAX_SHOWN]} … (and {cut} more characters)"


def generic_diagnosis(difference: Difference) -> str:
    """The id of a diagnosis that fits any exercise, where the lesson has no better one."""
    if fault := difference.fault:
        clients = difference.model.clients.values() if difference.model else ()
        due = [item.message for client in clients for item in client.expected]
        closes = any(it["type"] == "websocket.close" for it in (*difference.expected, *due))
        if fault.diagnosis == "forbidden-close-code" and not closes:
            return "closed-early"
        return "closed-early" if follows_wrong_close(difference) else fault.diagnosis
    if difference.client is None:
        return "claim-not-met"
    if difference.late is not None:
        return "wrong-time"
    if missing := difference.missing:
        if missing["type"] == "websocket.close":
            return "not-closed-as-asked"
        if missing["type"] == "raised":
            return "exception-missing"
        if difference.is_unreached:
            return "no-event-arrived"
        silence = difference.seen.silence if difference.seen else "no-reply"
        is_last = not missing.get("more_body")
        return silence if is_last or silence != "response-not-finished" else "no-reply"
    if surplus := difference.surplus:
        return "closed-early" if surplus["type"] == "websocket.close" else "reply-too-many"
    expected, received = difference.pair or ({}, {})
    if normalize(expected) == normalize(received):
        return "reply-differs"
    kinds = expected.get("type"), received.get("type")
    then = [message["type"] for message in difference.received[difference.first + 1 :]]
    if kinds == ("websocket.close", "websocket.accept") and then == ["websocket.close"]:
        return "rejected-after-accept"
    is_closed = kinds[1] == "websocket.close"
    return _OF_KINDS.get(kinds, "closed-early" if is_closed else "reply-differs")


def follows_wrong_close(difference: Difference) -> bool:
    """Whether something was sent after a close that was not due: then the close is the mistake."""
    clients = difference.model.clients if difference.model else {}
    own, fault = clients.get(difference.client), difference.fault
    is_late = fault is not None and fault.diagnosis in ("send-after-close", "closed-twice")
    return is_late and own is not None and own.is_open


_OF_KINDS = {  # of the expected and the received message
    ("websocket.close", "websocket.close"): "wrong-close-code",
    ("websocket.accept", "websocket.close"): "refuses-everyone",
    ("websocket.close", "websocket.accept"): "accepts-everyone",
}
