"""Compares what happened in a conversation with what a model expects: the first difference.

Several steps in the air at the same time may happen in any order. So the judge keeps every state in
which the model can be, and a difference is what fits none of them.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import takewhile

from lessons.workshop.engine.faults.finding import Finding, Place, make_finding
from lessons.workshop.engine.model.model import (
    CLOSED,
    LEFT,
    Answer,
    Answers,
    Expected,
    InAnyOrder,
    Model,
    ModelClient,
    OneOf,
    distinct,
)
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import (
    first_difference,
    normalize,
    render_difference,
)
from lessons.workshop.engine.script.report import BurstReport, ClientFault, ClientReport, Report
from lessons.workshop.engine.script.steps import Step, bursts_of, with_channels
from lessons.workshop.engine.world.daphne_rules import (
    CODE_DROPPED,
    ignored_keys_text,
    with_meant_keys,
)

TIME_TOLERANCE = 0.05  # seconds of the simulated clock
MAX_STATES = 32  # of the model, after steps whose order is open
MAX_SHOWN = 400  # characters of an answer that a finding shows
COLUMNS = 76  # of a comparison; a terminal has 80, and it is indented
SHOWN_AROUND = 3  # messages before and after the first difference that a finding shows


@dataclass
class Difference:
    """The first thing in a conversation that the model does not allow.

    `step` is the step that led to it, `client` the number of the client that sees it (None: none
    does). `expected` and `received` are the messages of this client in this burst. `fault` is a
    finding of the simulated server. `answer` and `expected_answer` belong to a step such as `rows`.
    `model` is a state that the model could be in. `events` are all events of the conversation: a
    diagnosis may look at the queries and at the calls of the layer.
    """

    steps: list[Step]
    burst: int
    step: Step | None = None
    client: int | None = None
    expected: list[dict] = ()
    received: list[dict] = ()
    times: list[float] = ()
    fault: Finding | None = None
    seen: ClientReport | None = None
    answer: object = None
    expected_answer: object = None
    model: Model | None = None
    played: Report | None = None
    events: tuple[Event, ...] = ()
    late: bool = False  # the messages are right, and their times are not
    due: list[float | None] = ()  # the times at which the expected messages were due

    @property
    def steps_so_far(self) -> list[Step]:
        """The steps up to the burst in which the difference shows."""
        setup = [step for step in self.steps if step.kind.is_setup]
        return [*setup, *(step for it in bursts_of(self.steps)[: self.burst + 1] for step in it)]

    @property
    def answers(self) -> tuple[object, object]:
        """The expected answer, as it is shown, and the answer. Of lists, the item that differs."""
        expected, answer = self.expected_answer, self.answer
        if isinstance(expected, Answers) and isinstance(answer, list):
            expected, answer = expected.first_difference(answer)
        return expected.shown if isinstance(expected, Answer) else expected, answer

    @property
    def steps_of_burst(self) -> list[Step]:
        """The steps that were taken at the same time as the one that led to the difference."""
        return bursts_of(self.steps)[self.burst]

    @property
    def first(self) -> int:
        """The index of the first message that differs."""
        found = first_difference(self.expected, self.received)
        return min(len(self.expected), len(self.received)) if found is None else found

    @property
    def first_late(self) -> int | None:
        """The index of the first message that came at a wrong time."""
        pairs = enumerate(zip(self.due, self.times, strict=False))
        wrong = (it for it, (due, time) in pairs if due is not None and not _is_in_time(time, due))
        return next(wrong, None)

    @property
    def missing(self) -> dict | None:
        """The first message that was expected and not received, if it is just missing."""
        is_missing = self.first >= len(self.received) and self.first < len(self.expected)
        return self.expected[self.first] if is_missing else None

    @property
    def is_incomplete(self) -> bool:
        """Whether only some of the expected messages came, in their order."""
        rest = iter([normalize(message) for message in self.expected])
        came = all(normalize(message) in rest for message in self.received)
        return came and len(self.received) < len(self.expected)

    @property
    def surplus(self) -> dict | None:
        """The first message that came after all that was expected."""
        is_surplus = self.first >= len(self.expected) and self.first < len(self.received)
        return self.received[self.first] if is_surplus else None

    @property
    def pair(self) -> tuple[dict, dict] | None:
        """The first expected and received message that differ, if there are both."""
        if self.first < min(len(self.expected), len(self.received)):
            return self.expected[self.first], self.received[self.first]
        return None

    def texts(self, messages: Sequence[dict]) -> list:
        """The texts of the frames among some messages."""
        return [
            it["text"] for it in messages if it.get("type") == "websocket.send" and "text" in it
        ]


def find_difference(model: Model, steps: list[Step], played: Report) -> Difference | None:
    """The first difference between a conversation and what `model`, in its first state, allows."""
    difference = _find_difference(model, steps, played)
    if difference and _is_silence(difference):
        causes = (it for it in played.leftovers if it.diagnosis in _CAUSES)
        difference.fault = next(causes, difference.fault)
    return difference


def _find_difference(model: Model, steps: list[Step], played: Report) -> Difference | None:
    states = [model]
    model.set_up(steps)
    channels: dict[int, str] = {}
    for number, burst in enumerate(bursts_of(steps)):
        burst = [with_channels(step, channels) for step in burst]
        if number >= len(played.bursts):
            return Difference(steps, number, burst[0], fault=_fault_of_end(played), played=played)
        turn = played.bursts[number]
        before, channels = channels, {n: it.channel for n, it in turn.clients.items() if it.channel}
        candidates = []
        for state in states:
            state.begin_turn(before, channels, turn.at_point)
            candidates += state.orders_of(burst)
        for state in candidates:
            state.catch_up(turn.time)
        without_fault = [it for it in candidates if _first_fault(it, turn) is None]
        if not without_fault:
            fault = _first_fault(candidates[0], turn)
            return Difference(
                *(steps, number, _step_of(burst, fault.client), fault.client),
                fault=fault.finding,
                seen=turn.clients.get(fault.client),
                model=candidates[0],
                played=played,
                **_both_sides(candidates[0], turn, fault.client),
            )
        if model.layers is not None and (other := set(turn.layers) - {*model.layers}):
            return _other_layer(steps, number, burst, turn, candidates[0], played, other)
        allowed = [state for state in without_fault if _first_mismatch(state, turn) is None]
        if not allowed:
            return _difference(steps, number, burst, turn, _likeliest(without_fault, turn), played)
        states = distinct(allowed)[:MAX_STATES]
        if found := states[0].fault_in(played, turn):
            return _fault_of_model(steps, number, burst, turn, states[0], played, found)
    fault = played.stuck or next(iter(ranked(played.leftovers)), None)
    if fault:
        last = max(len(played.bursts) - 1, 0)
        return Difference(steps, last, fault=fault, model=states[0], played=played)
    return _needless_job(steps, states[0], played)


def _fault_of_model(steps, number, burst, turn, model, played, found) -> Difference:
    """The Difference for what fault_in() of the model has found."""
    client, name, detail = found
    seen = turn.clients.get(client)
    return Difference(
        *(steps, number, _step_of(burst, client), client),
        fault=make_finding(name, seen.place if seen else Place(), "", detail),
        seen=seen,
        model=model,
        played=played,
    )


def _needless_job(steps: list[Step], model: Model, played: Report) -> Difference | None:
    """The first burst that handed a job to a thread, although none of its steps may need one."""
    for number, burst in enumerate(bursts_of(steps)):
        jobs = played.bursts[number].thread_jobs
        if jobs and all(step.action in model.without_threads for step in burst):
            step = burst[0]
            seen = played.bursts[number].clients.get(step.client)
            detail = f"Jobs handed to a thread: {jobs}."
            fault = make_finding("needless-thread-hop", seen.place if seen else Place(), "", detail)
            own = {"fault": fault, "seen": seen, "model": model, "played": played}
            return Difference(steps, number, step, step.client, **own)
    return None


def _likeliest(candidates: list[Model], turn: BurstReport) -> Model:
    """The model after the steps in order, or in the order that explains all answers."""
    mismatches = ((it, _first_mismatch(it, turn)) for it in candidates)
    explained = (it for it, mismatch in mismatches if not isinstance(mismatch, int))
    return next(explained, candidates[0])


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Findings with the cause first: a forgotten await leads to other faults, not the reverse.

    So does sys.exit().
    """
    return sorted(findings, key=lambda it: it.diagnosis not in _CAUSES)


_CAUSES = {
    *("never-awaited", "layer-not-called", "async-handler-in-sync-consumer"),
    "calls-exit",
}
_SILENCES = {
    *("no-accept", "no-stop-consumer", "work-left-out"),
    *("group-leak", "group-leak-after-a-crash", "cancelled-while-joining"),
}


def _is_silence(difference: Difference) -> bool:
    """Whether the consumer only failed to do something. The cause may show at the end."""
    if difference.fault:
        is_about_it = "coroutine" in difference.fault.detail
        return is_about_it or difference.fault.diagnosis in _SILENCES
    return difference.missing is not None or difference.is_incomplete


def cause_at_end(difference: Difference) -> Finding | None:
    """What shows at the end of the conversation only, and has led to a message that is missing."""
    leftovers = difference.played.leftovers if difference.played else ()
    causes = [finding for finding in leftovers if finding.diagnosis in _CAUSES_OF_SILENCE]
    return causes[0] if causes and not difference.fault and _is_silence(difference) else None


_CAUSES_OF_SILENCE = {*_CAUSES, "receiver-gone"}


def _fault_of_end(played: Report) -> Finding:
    if played.stuck:
        return played.stuck
    return next(iter(ranked(played.leftovers)), make_finding("process-died"))


def _step_of(burst: list[Step], client: int | None) -> Step:
    own = [step for step in burst if step.client == client]
    return own[-1] if own else burst[0]


def _first_fault(model: Model, turn: BurstReport) -> ClientFault | None:
    """The first fault, without the exceptions that the model allows."""
    for fault in turn.faults:
        client, seen = model.clients.get(fault.client), turn.clients.get(fault.client)
        allowed = client.allowed_error if client else ""
        kinds = seen.raised_kinds if seen else ()
        if allowed and (fault.finding.detail.startswith(allowed) or allowed in kinds):
            model.end_with_error(client)
        elif client and client.may_have_code and fault.finding.diagnosis == CODE_DROPPED:
            continue
        elif not (seen and seen.raised and client and client.may_raise):
            return fault
    if model.keeps_scope:
        for number, seen in turn.clients.items():
            if seen.scope_changes:
                detail = f"Changed: {', '.join(seen.scope_changes)}"
                return ClientFault(number, make_finding("scope-mutated", seen.place, detail=detail))
    return None


def _both_sides(model: Model, turn: BurstReport, client: int | None) -> dict:
    """What the client of a fault should have received, and what it received."""
    seen = turn.clients.get(client)
    own = model.clients.get(client)
    return {
        "expected": shown(own) if own else [],
        "received": [message for _, message in seen.received] if seen else [],
    }


# One state of the model and one turn


def _first_mismatch(model: Model, turn: BurstReport) -> ModelClient | int | None:
    """The first client, or the index of the first answer, that the model does not allow."""
    for index, (wanted, answer) in enumerate(zip(model.answers, turn.answers, strict=True)):
        if not _answers(wanted, answer):
            return index
    still_to_come = {}
    for client in model.clients.values():
        seen = turn.clients.get(client.number)
        received = seen.received if seen else ()
        # A client that leaves may miss what is sent in the same burst.
        later = _match(client.expected, client.later, received, may_end=client.left_itself)
        if client.stream:
            times = model.now, TIME_TOLERANCE
            is_right = client.stream.accepts(received, *times, client.left_itself)
            later = [] if is_right else None
        if client.is_free or (later is not None and client.state == LEFT):
            later = []
        if later is None or any(item.until <= model.now + 1e-6 for item in later):
            return client
        if client.state in (CLOSED, LEFT) and seen and not seen.ended:
            return client
        if client.required_error:
            return client
        if model.silent_after_disconnect and seen and seen.too_late:
            return client
        still_to_come[client.number] = later
    for number, later in still_to_come.items():
        model.clients[number].later = later
    return None


def _answers(wanted, answer) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, Answer):
        return wanted.accepts(answer)
    return bool(wanted(answer)) if callable(wanted) else wanted == answer


def _match(
    items: Sequence, later: list[Expected], received: Sequence, may_end=False
) -> list[Expected] | None:
    """The messages of `later` that are still to come; None if `received` is not allowed.

    With `may_end`, the last messages may be missing.
    """
    items, later, received = _without_certain(items, later, received)
    if not received:
        return later if may_end or all(map(_may_be_missing, items)) else None
    for index in _heads(items):
        for rest, received_after in _taken(items, index, received):
            found = _match(rest, later, received_after, may_end)
            if found is not None:
                return found
    is_behind = False  # another one must come first
    for index, item in enumerate(later):
        if not (item.in_order and is_behind) and _accepts(item, received[0]):
            found = _match(items, [*later[:index], *later[index + 1 :]], received[1:], may_end)
            if found is not None:
                return found
        is_behind = is_behind or item.in_order
    return None


def _without_certain(items: Sequence, later: list[Expected], received: Sequence) -> tuple:
    """The same without the first messages that can be explained in one way only.

    A thousand messages in their order would be too many for a recursion.
    """
    if not later and all(_lane(item) is None for item in items):
        only = takewhile(_is_certain, items)
    elif not items and all(item.in_order for item in later):
        only = iter(later)
    else:
        return items, later, received
    pairs = zip(only, received, strict=False)
    count = sum(1 for _ in takewhile(lambda pair: _accepts(*pair), pairs))
    return (
        (items[count:], later, received[count:])
        if items
        else (items, later[count:], received[count:])
    )


def _is_certain(item) -> bool:
    """Whether the item must be the next message: it has no alternative and cannot be missed."""
    return not isinstance(item, OneOf | InAnyOrder) and not _may_be_missing(item)


def _heads(items: Sequence) -> list[int]:
    """The indices of the items that may come first: one in each lane, after what may be missed."""
    heads, closed = [], set()
    for index, item in enumerate(items):
        if _lane(item) not in closed:
            heads.append(index)
            if not _may_be_missing(item):
                closed.add(_lane(item))
    return heads


def _taken(items: Sequence, index: int, received: Sequence) -> Iterator[tuple[list, Sequence]]:
    """For each way in which the item explains the first message: the items and messages left."""
    head, lane = items[index], _lane(items[index])
    before = [item for item in items[:index] if _lane(item) != lane]  # the others were missed
    after = items[index + 1 :]
    if isinstance(head, OneOf):
        for one in head.sequences:
            yield [*before, *one, *after], received
    elif isinstance(head, InAnyOrder):
        for number, item in enumerate(head.messages):
            others = [*head.messages[:number], *head.messages[number + 1 :]]
            if _accepts(item, received[0]):
                yield [*before, *([InAnyOrder(others)] if others else []), *after], received[1:]
    elif _accepts(head, received[0]):
        yield [*before, *(_required(item, lane) for item in after)], received[1:]


def _lane(item) -> object:
    return getattr(item, "lane", None)


def _may_be_missing(item) -> bool:
    if isinstance(item, OneOf):
        return any(all(map(_may_be_missing, one)) for one in item.sequences)
    if isinstance(item, InAnyOrder):
        return all(map(_may_be_missing, item.messages))
    return getattr(item, "may_miss", False)


def _required(item, lane: object):
    """The item after one of its lane has come: it cannot be missed any more."""
    if not getattr(item, "may_miss", False) or item.lane != lane:
        return item
    item = copy(item)
    item.may_miss = False
    return item


def _accepts(item: Expected, arrival: tuple[float, dict]) -> bool:
    time, message = arrival
    item = Expected(item) if isinstance(item, dict) else item
    in_time = item.at is None or _is_in_time(time, item.at)
    return in_time and item.accepts(message)


def _is_in_time(time: float, due: float) -> bool:
    return abs(time - due) <= TIME_TOLERANCE


# What a finding shows


def shown(client: ModelClient) -> list[dict]:
    """The messages that the client must receive, the first alternative of each."""
    return [message for item in client.expected for message in _shown(item)]


def _shown(item) -> list[dict]:
    if isinstance(item, OneOf):
        return [message for one in item.sequences[0] for message in _shown(one)]
    if isinstance(item, InAnyOrder):
        return [message for one in item.messages for message in _shown(one)]
    return [item if isinstance(item, dict) else item.message]


def _difference(steps, number, burst, turn, model: Model, played) -> Difference:
    mismatch = _first_mismatch(model, turn)
    common = {"model": model, "played": played}
    if isinstance(mismatch, int):
        answers = {"answer": turn.answers[mismatch], "expected_answer": model.answers[mismatch]}
        return Difference(steps, number, burst[mismatch], **answers, **common)
    client = mismatch.number
    seen = turn.clients.get(client)
    received = [message for _, message in seen.received] if seen else []
    late = [item for item in mismatch.later if item.until <= model.now + 1e-6]
    in_order = [item for item in late if item.in_order]
    expected = _as_received([*mismatch.expected, *in_order], received)
    if mismatch.stream:
        expected = mismatch.stream.due(model.now)
    missing = [item for item in late if not any(map(item.accepts, received))]
    expected += [item.message for item in missing if not item.in_order]
    surplus = max(len(received) - len(expected), 0)
    waiting = [item for item in mismatch.later if item not in late]
    expected += [it.message for it in waiting if not any(map(it.accepts, received))][:surplus]
    if mismatch.required_error:
        expected.append({"type": "raised", "error": mismatch.required_error})
    times = [time for time, _ in seen.received] if seen else []
    is_late = expected == received and seen is not None and seen.ended >= mismatch.has_ended
    due = [getattr(item, "at", None) for item in mismatch.expected] if is_late else []
    fault = None
    if expected == received and mismatch.has_ended and seen and not seen.ended:
        name = "handler-never-returned" if seen.is_busy else "no-stop-consumer"
        fault = make_finding(name, seen.place, "websocket.disconnect")
    elif expected == received and model.silent_after_disconnect and seen and seen.too_late:
        detail = "\n".join(f"sent: {message}" for message in seen.too_late)
        place, event = seen.place, "websocket.disconnect"
        fault = make_finding("send-after-disconnect", place, event, detail)
    return Difference(
        *(steps, number, _step_of(burst, client), client, expected, received, times),
        fault=fault,
        seen=seen,
        late=is_late,
        due=due,
        **common,
    )


def _other_layer(steps, number, burst, turn, model: Model, played, aliases) -> Difference:
    """The consumer has called a channel layer that it must not use."""
    seen = next(iter(turn.clients.values()), None)
    detail = f"called: the layer {', '.join(sorted(aliases))}"
    fault = make_finding("wrong-layer", seen.place if seen else Place(), detail=detail)
    step = burst[-1]
    return Difference(
        steps, number, step, step.client, fault=fault, seen=seen, model=model, played=played
    )


def _as_received(expected: list, received: list[dict]) -> list[dict]:
    """The expected messages; one that allows what was received is shown as it was received."""
    items = [
        Expected(one) if isinstance(one, dict) else one
        for item in expected
        for one in (item.sequences[0] if isinstance(item, OneOf) else [item])
        for one in (one.messages if isinstance(one, InAnyOrder) else [one])
    ]
    expected: list[dict] = []
    while len(expected) < len(received):  # lanes are shown in the order in which they came
        message = received[len(expected)]
        index = next((it for it in _heads(items) if items[it].accepts(message)), None)
        if index is None:
            break
        lane = items[index].lane
        items = [
            *(item for item in items[:index] if item.lane != lane),
            *(_required(item, lane) for item in items[index + 1 :]),
        ]
        expected.append(message)
    for index, item in enumerate((it for it in items if not it.may_miss), start=len(expected)):
        allows = index < len(received) and item.accepts(received[index])
        expected.append(received[index] if allows else item.message)
    return expected


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
    """Expected beside received: the messages around the first difference, or both answers."""
    if difference.step is not None and difference.client is None and not difference.fault:
        wanted, answer = difference.answers
        is_item = answer is not difference.answer
        lines = [f"The answer of `{difference.step}`{' has' if is_item else ''}: {_short(answer)}"]
        if difference.expected_answer is not None and not callable(wanted):
            lines.insert(0, f"expected: {_short(wanted)}")
        return "\n".join(lines)
    first = difference.first
    begin, end = max(0, first - SHOWN_AROUND), first + SHOWN_AROUND + 1
    around = slice(begin, end)
    parts = [render_difference(difference.expected[around], difference.received[around], COLUMNS)]
    if begin:
        parts.insert(0, f"(after {begin} messages that are right)")
    rest = max(len(difference.expected), len(difference.received)) - end
    if rest > 0:
        parts.append(f"(and {rest} more)")
    if difference.late:
        parts.append(_times_of(difference))
    if remark := ignored_keys_of(difference):
        parts.append(remark)
    return "\n".join(parts)


def _times_of(difference: Difference) -> str:
    """When the first late message was due, and when it came."""
    if (index := difference.first_late) is not None:
        due, time = difference.due[index], difference.times[index]
        number = f"Message {index + 1}" if len(difference.times) > 1 else "The message"
        return f"{number} is right, but was due at {due:.4g} s and came at {time:.4g} s."
    times = ", ".join(f"{time:.4g} s" for time in difference.times)
    return f"The messages are right, but their times are not. They came at {times}."


def held_text(difference: Difference) -> str:
    """Where each other handler waited when the step with `at` was taken."""
    played = difference.played
    if played is None or difference.burst >= len(played.bursts):
        return ""
    steps = [str(step) for step in difference.steps_of_burst if step.point is not None]
    if not steps:
        return ""
    acts = steps[0].split(" ", 2)[2]
    return "\n".join(
        f"Client {client} waited at line {line}, in {handler}.\nThen came the step: {acts}"
        for client, line, handler in played.bursts[difference.burst].held
    )


def _short(value) -> str:
    text = repr(value)
    cut = len(text) - MAX_SHOWN
    return text if cut <= 0 else f"{text[:MAX_SHOWN]} … (and {cut} more characters)"


def generic_diagnosis(difference: Difference) -> str:
    """The id of a diagnosis that fits any exercise, where the lesson has no better one."""
    if difference.fault:
        return difference.fault.diagnosis
    if difference.client is None:
        return "claim-not-met"
    if difference.late:
        return "wrong-time"
    if missing := difference.missing:
        if missing["type"] == "websocket.close":
            return "not-closed-as-asked"
        return difference.seen.silence if difference.seen else "no-reply"
    if surplus := difference.surplus:
        return "closed-early" if surplus["type"] == "websocket.close" else "reply-too-many"
    expected, received = difference.pair or ({}, {})
    kinds = expected.get("type"), received.get("type")
    if kinds == ("websocket.close", "websocket.close"):
        return "wrong-close-code"
    if kinds == ("websocket.accept", "websocket.close"):
        return "refuses-everyone"
    if kinds == ("websocket.close", "websocket.accept"):
        return "accepts-everyone"
    if kinds[1] == "websocket.close":
        return "closed-early"
    return "reply-differs"
