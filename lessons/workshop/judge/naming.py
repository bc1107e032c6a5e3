"""Names the cause of a difference: the diagnosis, the place, and the promise that is broken."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.engine.faults.finding import Finding, Place, make_finding
from lessons.workshop.engine.model.conversations import leaving
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import (
    Difference,
    detail_of,
    find_difference,
    follows_wrong_close,
    generic_diagnosis,
    held_text,
    ignored_keys_of,
    is_misspelt,
)
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import event_text
from lessons.workshop.engine.script.report import BurstReport, PlayOptions, Report
from lessons.workshop.engine.script.steps import Step, bursts_of, parse_step
from lessons.workshop.judge.redaction import redacted, redacted_finding

log = logging.getLogger(__name__)
# Diagnoses that only say what a client sees. A replay may find the cause.
VAGUE = {
    *("reply-differs", "no-reply", "reply-too-many", "closed-early", "not-closed-as-asked"),
    *("no-event-arrived", "no-accept"),
    *("refuses-everyone", "accepts-everyone", "rejected-after-accept", "exception"),
    *("stream-outlives-client", "task-left-behind"),
}
# Diagnoses that a replay or the messages have shown.
_SHOWN = {
    *("unknown-key", "never-awaited", "changed-while-waiting", "wrong-connection", "wrong-time"),
}
# Diagnoses of a consumer that goes on after its client has left.
_OF_END = {"no-stop-consumer", "http-no-stop-consumer", "send-after-disconnect"}
# Diagnoses that no message shows. Only the lesson's model knows which promise they break, if any.
_UNSEEN = {
    *("blocked-loop", "query-on-loop", "secret-logged", "exception-hidden"),
    *("group-leak", "group-leak-after-a-crash", "cancelled-while-joining"),
    *("cleanup-skipped", "cleanup-raises", "task-left-behind", "thread-left-behind"),
}
# Diagnoses of a message that never comes. A longer conversation may show that it is only late.
_NEVER_COMES = {"handler-never-returned", "no-reply", "job-unanswered", "window-too-small"}
_PATIENCE = parse_step("wait 60")  # so long a missing message is waited for
_EVENTS = {
    "text": "websocket.receive",
    "bytes": "websocket.receive",
    "connect": "websocket.connect",
    "close": "websocket.disconnect",
    "vanish": "websocket.disconnect",
    "piece": "http.request",
}


@dataclass(frozen=True)
class Naming:
    """Names differences from `model`. `play(steps, options)` plays a conversation again."""

    model: type[Model]
    play: Callable[[list[Step], PlayOptions], Report]
    file: str  # that is judged

    def finding(self, difference: Difference) -> tuple[Finding, tuple[Event, ...]]:
        """The finding for a difference, and the events of the conversation up to there."""
        options = self.model.play_options(events=True)
        replayed = self.play(difference.steps_so_far, options)
        if difference.burst < len(replayed.bursts):  # now with the lines that sent
            played = replace(difference.played, bursts=replayed.bursts)
            difference = replace(difference, played=played)
        difference = replace(difference, events=replayed.events, fault=_fault_behind(difference))
        name = self._diagnosis(difference)
        place, event = self._place(difference)
        detail = _detail(difference)
        if name in _NEVER_COMES and (delay := self._delay(difference)):
            name, detail = "wrong-time", f"{detail}\nIt came {delay:.4g} s later."
        fault = difference.fault
        if fault and fault.diagnosis == name:
            finding = replace(fault, detail=detail)
            if diagnosis(name).usual == "title" and not fault.seen:  # a model has found it
                finding = replace(finding, seen="claim-not-met")
        else:
            seen = "wrong-connection" if name == self.model.shared else _seen(difference)
            seen = "" if name in {*_SHOWN, seen} else seen
            finding = make_finding(name, place, event, detail, seen=seen)
        if self.model.given and finding.handler.partition(".")[0] in ("", *self.model.given):
            finding = replace(finding, line=0, handler="")
        steps = " | ".join(map(str, difference.steps_so_far))
        wanted = difference.wanted[difference.first :][:1]
        is_at_once = any(it.until is None and it.at is None for it in wanted)
        # A limit of time is not about what must come at once.
        known = "" if name == "wrong-time" and is_at_once else self.model.promise_of.get(name)
        promise = known or _promise(difference)
        expected = _expected(difference)
        finding = replace(finding, promise=promise, conversation=steps, expected=expected)
        return redacted_finding(finding), tuple(map(redacted, replayed.events))

    def _diagnosis(self, difference: Difference) -> str:
        if is_misspelt(difference):
            return "unknown-key"
        if not difference.fault and "<coroutine object " in str(difference.received):
            return "never-awaited"
        known = _known_to_model(difference)
        if known and self._is_seen(diagnosis(known).only, difference):
            own = difference.client, None
            is_own = all(step.client in own for step in difference.steps_of_burst)
            may_be_shared = is_own and not diagnosis(known).only and difference.client is not None
            if may_be_shared and self._is_right_alone(difference):
                rest = difference.received[difference.first :]
                is_closed = any(message["type"] == "websocket.close" for message in rest)
                return "wrong-connection" if is_closed else self.model.shared
            return known
        name = generic_diagnosis(difference)
        if name in VAGUE and self._is_right_alone(difference):
            is_overlap = self._is_right_apart(difference)
            return "changed-while-waiting" if is_overlap else "wrong-connection"
        return name

    def _is_seen(self, condition: str | None, difference: Difference) -> bool:
        """Whether the conversation needs what the diagnosis needs: an overlap, or other clients."""
        if condition == "overlap":
            return self._is_right_apart(difference)
        clients = [step for step in difference.steps_so_far if step.kind.begins]
        return condition is None or len(clients) > 1

    def _is_right_alone(self, difference: Difference) -> bool:
        """Whether the client would receive the right messages without the other clients."""
        numbers = (difference.client, None)
        steps = difference.steps_so_far
        own = [step for step in steps if step.client in numbers or step.action == "wait"]
        begun = [number for number, step in enumerate(own) if step.kind.begins]
        if begun:  # an earlier connection with this number was another client
            earlier = own[: begun[-1]]
            earlier = [it for it in earlier if it.client is None or it.action == "wait"]
            own = [*earlier, *own[begun[-1] :]]
        if not self.model.clients_are_independent or len(own) == len(steps):
            return False
        # Another step of the burst may have been removed, and a burst begins without `&`.
        own = [replace(step, together=False) for step in own]
        report = self._right_report(own)
        return report is not None and _is_mended(difference, report.bursts[len(bursts_of(own)) - 1])

    def _is_right_apart(self, difference: Difference) -> bool:
        """Whether all goes right if no step is taken while a handler is at work."""
        steps = difference.steps_so_far
        apart = [replace(step, together=False, point=None) for step in steps]
        return apart != steps and self._right_report(apart) is not None

    def _delay(self, difference: Difference) -> float | None:
        """In how many seconds a missing message comes, if the conversation goes on."""
        if difference.fault or not difference.missing:
            return None
        wanted = difference.wanted[difference.first]
        is_timed = wanted.until is not None or wanted.at is not None
        if not is_timed and not (difference.seen and difference.seen.is_busy):
            return None  # an equal message may come later, for another reason
        steps = [*difference.steps_so_far, _PATIENCE]
        played = self.play(steps, self.model.play_options())
        later = played.bursts[difference.burst + 1 :]
        seen = [it for turn in later if (it := turn.clients.get(difference.client))]
        arrivals = [it for one in seen for it in one.received]
        times = (time for time, message in arrivals if wanted.accepts(message))
        return next((time - difference.report.time for time in times), None)

    def _right_report(self, steps: list[Step]) -> Report | None:
        """What happens if these steps are played; None if it is not right."""
        steps = [*steps, *leaving(steps)]
        report = self.play(steps, self.model.play_options())
        return None if find_difference(self.model(), steps, report) else report

    def _place(self, difference: Difference) -> tuple[Place, str]:
        """The line that sent the first wrong message, or that of the last handler; its event."""
        seen = difference.seen
        if isinstance(difference.answer, dict) and "line" in difference.answer:
            return Place(self.file, difference.answer["line"]), ""
        event = _event(difference)
        if difference.fault:
            fault = difference.fault
            if follows_wrong_close(difference):  # the line that sent is right
                return Place(fault.file), event
            return Place(fault.file, fault.line, fault.handler), event
        if not seen:
            return Place(), event
        if len(_lines_of_equals(difference)) > 1:  # any of them may be wrong
            return Place(self.file), event
        late, refused = difference.late, difference.refused
        is_late = late is not None
        first = next(it for it in (refused, late, difference.first) if it is not None)
        if is_late and _has_call(difference):
            place = Place()  # the function that was called may have waited
        elif first < len(seen.sent_at) and seen.sent_at[first]:
            place = Place(seen.place.file, *seen.sent_at[first])
        elif difference.missing and not seen.waits:
            place = _place_of_silence(difference)
        else:
            place = seen.place
        # What a client event has led to cannot be in the handler of another client event.
        name = place.handler.rpartition(".")[2]
        may_be = not name.startswith("websocket_") or name == event.replace(".", "_")
        return place, event if may_be else ""


def _is_mended(difference: Difference, turn: BurstReport) -> bool:
    """Whether the client receives in `turn` what it had to receive instead of a wrong message.

    If it does not, the others only had to change what it receives.
    """
    if difference.fault or difference.missing:
        return True
    seen = turn.clients.get(difference.client)
    received = [message for _, message in seen.received] if seen else []
    if difference.surplus:
        return difference.surplus not in received
    wanted = difference.wanted[difference.first :][:1]
    return all(any(map(it.accepts, received)) for it in wanted)


def _event(difference: Difference) -> str:
    """The type of the event to which the step has led, or an empty text."""
    step = None if difference.is_of_several else difference.step
    event = _EVENTS.get(step.action, "") if step else ""
    if step and step.kind.is_request:
        event = "http.request"
    own = [it.kind for it in difference.steps_so_far if step and it.client == step.client]
    begun = [kind for kind in own if kind.begins]  # a request, then perhaps a handshake
    is_http = bool(begun) and begun[-1].is_request
    return event.replace("websocket.", "http.") if is_http else event


def _fault_behind(difference: Difference) -> Finding | None:
    """The fault that is the difference, or has led to it."""
    missing, seen = difference.missing, difference.seen
    failed = missing and seen and seen.failed_task
    if failed and missing["type"] == "raised":  # the exception is right, but it has to get out
        failed = replace(failed, diagnosis="task-died", seen="")
    return difference.fault or failed or None


def _seen(difference: Difference) -> str:
    """The diagnosis of what was observed."""
    name, fault = generic_diagnosis(difference), difference.fault
    return fault.seen if fault and fault.seen and fault.diagnosis == name else name


def _detail(difference: Difference) -> str:
    fault = difference.fault
    own = difference.model.explain(difference) if difference.model else None
    if follows_wrong_close(difference):
        own = own or "The consumer closed without a reason, and then it still sent an event."
    detail = own or (fault.detail if fault else detail_of(difference))
    if fault and not detail and (difference.expected or difference.received):
        detail = detail_of(difference)
    remark = "" if fault else ignored_keys_of(difference)
    if remark and remark in detail:
        remark = ""
    lines = [] if fault else _lines_of_equals(difference)
    equals = f"Equal messages came from lines {' and '.join(lines)}." if len(lines) > 1 else ""
    return "\n".join([detail, *filter(None, (held_text(difference), remark, equals))])


def _lines_of_equals(difference: Difference) -> list[str]:
    """The lines that sent the message which is too many, or an equal one before it."""
    seen, surplus = difference.seen, difference.surplus
    if seen is None or surplus is None:
        return []
    sent = zip(difference.received, seen.sent_at, strict=True)
    return [*map(str, sorted({at[0] for message, at in sent if at and message == surplus}))]


def _expected(difference: Difference) -> str:
    """What the first wrong message or answer had to be."""
    if difference.expected_answer is not None:
        return str(difference.expected_answer.shown)
    if difference.fault or difference.late is not None:
        return ""
    wanted = difference.missing or (difference.pair or (None,))[0]
    return event_text(wanted) if wanted else "nothing more"


def _place_of_silence(difference: Difference) -> Place:
    """The handler that should have led to a message: of the client that took the step."""
    step, own, clients = difference.step, difference.seen.place, difference.report.clients
    if difference.seen.is_busy:  # it waits in Channels: perhaps for what another consumer does
        return next((other.place for other in clients.values() if other.waits), own)
    if step is not None and step.action == "wait":
        return Place()  # no handler was at work: a task or a function had to send it
    if step is None or step.client == difference.client:
        return own
    if other := clients.get(step.client):
        return other.place
    # Another process took the step. It may have led to no event in this consumer.
    return own if difference.seen.handled else Place()


def _has_call(difference: Difference) -> bool:
    """Whether another process has called a function."""
    return any(step.action == "call" for step in difference.steps_so_far)


def _known_to_model(difference: Difference) -> str | None:
    """What the check.py says. It may fail at what a strange file sends: then nothing is known."""
    try:
        return difference.model.diagnose(difference) if difference.model else None
    except Exception:
        log.exception("The diagnosis of %s failed", difference.model)
        return None


def _promise(difference: Difference) -> str:
    """The sentence of the exercise that led to what is missing, or to nothing more; or none."""
    model = difference.model
    if model is None or difference.step is None:
        return ""
    fault = difference.fault.diagnosis if difference.fault else ""
    if fault in _UNSEEN:
        return ""
    if fault in _OF_END:
        return model.promise_of_end
    if follows_wrong_close(difference):  # an earlier step may have led to the close
        return ""
    if difference.expected_answer is not None:
        of_rows = model.promise_of_rows if difference.step.action == "rows" else model.last_promise
        return difference.expected_answer.promise or of_rows
    number = difference.first if difference.late is None else difference.late
    rest = difference.wanted[number:] if difference.missing else difference.wanted[number:][:1]
    if rest:  # if several messages are missing, perhaps only a later one was promised in words
        return next((it.promise for it in rest if it.promise), "")
    if len(difference.steps_of_burst) == 1:
        return model.last_promise
    # Of several steps at the same time, it is not known which one led to a surplus message: but
    # after its close, a consumer answers no frame.
    own, late = model.clients.get(difference.client), type(model).receive_after_close
    is_own = {step.client for step in difference.steps_of_burst} == {difference.client}
    is_late = is_own and own is not None and own.has_ended and not own.left_itself
    has_promise = is_late and late is not Model.receive_after_close and late.__doc__
    return " ".join(late.__doc__.split()) if has_promise else ""
