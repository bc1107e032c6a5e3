"""Runs the claims of a check.py: short conversations with a name that a student sees.

A claim is a function whose docstring is its name. It plays conversations, and each of them must go
as the lesson's model says:

    def test_the_right_guess_ends_the_game(play):
        'The right guess gets "Right.", then the close with 1000, and the consumer stops.'
        play("connect | text 07 | text 7")

`play` takes steps in the grammar of lessons/workshop/engine/script/steps.py, in one
text or as a list. At its end each client that is still connected leaves.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from lessons.workshop.course.diagnoses import diagnosis
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import CheckFailed, Finding, Place, make_finding
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import (
    Difference,
    cause_at_end,
    detail_of,
    find_difference,
    generic_diagnosis,
    held_text,
    ignored_keys_of,
    is_misspelt,
)
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script.report import Report
from lessons.workshop.engine.script.steps import Step, bursts_of, parse_step, split_steps
from lessons.workshop.engine.world.student_module import load_file
from lessons.workshop.judge.verdict import Outcome

# Diagnoses that only say what a client sees. A replay may find the cause.
_VAGUE = {
    *("reply-differs", "no-reply", "reply-too-many", "closed-early", "not-closed-as-asked"),
    *("refuses-everyone", "accepts-everyone", "exception"),
    *("stream-outlives-client", "task-left-behind"),
}
_EVENTS = {
    "text": "websocket.receive",
    "bytes": "websocket.receive",
    "connect": "websocket.connect",
    "close": "websocket.disconnect",
    "vanish": "websocket.disconnect",
    "GET": "http.request",
    "POST": "http.request",
    "piece": "http.request",
}


class CourseError(Exception):
    """The course's own code is broken. The text says where, or is a traceback."""


@dataclass(frozen=True)
class Claims:
    """What a check.py holds: the claims, in the order of the file, and the model."""

    functions: tuple[Callable, ...]
    model: type[Model]

    @classmethod
    def of(cls, lesson: Lesson) -> "Claims":
        """Raises CourseError for a file that cannot be run, or that is not complete."""
        try:
            module = load_file(lesson.check)
        except CheckFailed as failure:
            finding = failure.finding
            text = f"{lesson.check}, line {finding.line}: {finding.detail}"
            raise CourseError(text) from failure
        functions = tuple(
            item
            for name, item in vars(module).items()
            if name.startswith("test_") and inspect.isfunction(item)
        )
        for function in functions:
            if inspect.iscoroutinefunction(function):
                name = function.__name__
                raise CourseError(f"{lesson.check}: {name} is async. A claim is a plain function.")
        models = [
            item
            for item in vars(module).values()
            if inspect.isclass(item)
            and issubclass(item, Model)
            and item.__module__ == module.__name__
        ]
        if not models:
            raise CourseError(f"{lesson.check} has no model: write a subclass of Model.")
        return cls(functions, models[-1])


def claim_of(function: Callable) -> str:
    """The line that a student sees with a tick or a cross."""
    return " ".join((function.__doc__ or function.__name__).split())


class Play:
    """Plays conversations for one claim, and compares each with the model.

    Raises CheckFailed where they differ.
    """

    def __init__(self, lesson: Lesson, players: PlayerPool, model: type[Model]):
        self.lesson = lesson
        self.model = model
        self.last: list[Step] = []  # the steps of the last conversation
        self.conversations: list[Report] = []  # what the claim has played, without replays
        self._players = players

    def __call__(self, steps: str | Sequence[str], otherwise: str | None = None) -> Report:
        """Play one conversation. `otherwise` is the diagnosis if it is not what the model says.

        It is used where neither the simulated server nor the model's diagnose() knows the cause.
        """
        parsed = parse_conversation(steps)
        self.last = parsed
        difference, played = self.difference(parsed)
        self.conversations.append(played)
        if difference:
            raise self.failure(difference, otherwise)
        return played

    def in_turn(self, conversations: Sequence[str], otherwise: str | None = None) -> None:
        """Play the conversations one after the other on one application, each by other clients.

        What fails alone as well is reported alone.
        """
        steps = self.last = one_after_the_other(map(parse_conversation, conversations))
        difference, played = self.difference(steps)
        self.conversations.append(played)
        if difference:
            for text in conversations:
                self(text, otherwise)
            raise self.failure(difference, otherwise)

    def at_each_point(self, steps: str, otherwise: str | None = None) -> None:
        """Play the conversation once for each point at which `at * …` may be taken."""
        number = passed = 0
        while number <= passed:
            numbers = range(number, passed + 1)
            texts = [steps.replace("at * ", f"at {it} ") for it in numbers]
            conversations = map(parse_conversation, texts)
            options = self.model.play_options()
            for parsed, played in self._players.play_all(conversations, options):
                self.last = parsed
                self.conversations.append(played)
                if difference := find_difference(self.model(), parsed, played):
                    raise self.failure(difference, otherwise)
                passed = max(passed, *(turn.points for turn in played.bursts))
            number = numbers.stop

    def fail(self, name: str, detail: str = "") -> NoReturn:
        """Fail the claim with this diagnosis, about the last conversation as a whole."""
        fault = make_finding(name, detail=detail)
        last = len(bursts_of(self.last)) - 1
        raise self.failure(Difference(self.last, last, fault=fault))

    def difference(self, steps: list[Step]) -> tuple[Difference | None, Report]:
        """Play the steps, and return the first difference, if there is one."""
        played = self._players.play(steps, self.model.play_options())
        return find_difference(self.model(), steps, played), played

    def failure(self, difference: Difference, otherwise: str | None = None) -> CheckFailed:
        """The CheckFailed for a difference, with the events of the conversation."""
        options = self.model.play_options(lines=True, events=True)
        replayed = self._players.play(difference.steps_so_far, options)
        difference.events = replayed.events
        difference.fault = difference.fault or cause_at_end(difference)
        if difference.fault is None and difference.missing and difference.seen:
            difference.fault = difference.seen.failed_task
        name = self._diagnosis(difference, otherwise)
        return CheckFailed(self._finding(name, difference, replayed), replayed.events)

    def _diagnosis(self, difference: Difference, otherwise: str | None) -> str:
        if is_misspelt(difference):
            return "unknown-key"
        known = difference.model.diagnose(difference) if difference.model else None
        shared = self.model.shared
        own = difference.client, None
        is_own = all(step.client in own for step in difference.steps_of_burst)
        is_own = is_own and difference.client is not None
        if known and shared and is_own and self._is_right_alone(difference):
            known = shared
        if known:
            diagnosis(known)  # raises KeyError if it does not exist
            return known
        name = generic_diagnosis(difference)
        if otherwise and not difference.fault:
            return otherwise
        if name in _VAGUE and self._is_right_alone(difference):
            is_overlap = self._is_right_apart(difference)
            return "changed-while-waiting" if is_overlap else "wrong-connection"
        return name

    def _is_right_apart(self, difference: Difference) -> bool:
        """Whether all goes right if no step is taken while a handler is at work."""
        steps = difference.steps_so_far
        apart = [replace(step, together=False, point=None) for step in steps]
        return apart != steps and self.difference([*apart, *leaving(apart)])[0] is None

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
        if not self.model.clients_are_independent or len(own) == len(difference.steps_so_far):
            return False
        # Another step of the burst may have been removed, and a burst begins without `&`.
        own = [replace(step, together=False) for step in own]
        return self.difference([*own, *leaving(own)])[0] is None

    def _finding(self, name: str, difference: Difference, replayed: Report) -> Finding:
        place, event = self._place(difference, replayed)
        fault = difference.fault
        own = difference.model.explain(difference) if difference.model else None
        detail = own or (fault.detail if fault else detail_of(difference))
        if fault and not detail and (difference.expected or difference.received):
            detail = detail_of(difference)
        if held := held_text(difference):
            detail = f"{detail}\n{held}"
        if (remark := ignored_keys_of(difference)) and not fault and remark not in detail:
            detail = f"{detail}\n{remark}"
        if fault and fault.diagnosis == name:
            finding = replace(fault, detail=detail)
        else:
            finding = make_finding(name, place, event, detail)
        steps = " | ".join(map(str, difference.steps_so_far))
        return replace(finding, promise=self._promise(difference), conversation=steps)

    def _place(self, difference: Difference, replayed: Report) -> tuple[Place, str]:
        """The line that sent the first wrong message, or that of the last handler; its event."""
        step, seen = difference.step, difference.seen
        if isinstance(difference.answer, dict) and "line" in difference.answer:
            return Place(self._players.file, difference.answer["line"]), ""
        event = _EVENTS.get(step.action, "") if step else ""
        if difference.fault:
            fault = difference.fault
            return Place(fault.file, fault.line, fault.handler), event
        if not seen:
            return Place(), event
        turn = (
            replayed.bursts[difference.burst] if difference.burst < len(replayed.bursts) else None
        )
        again = turn.clients.get(difference.client) if turn else None
        first = difference.first_late if difference.late else difference.first
        if first is not None and again and first < len(again.sent_at) and again.sent_at[first]:
            place = Place(seen.place.file, *again.sent_at[first])
        elif difference.missing and not seen.waits:
            place = _place_of_silence(difference, turn)
        else:
            place = seen.place
        return place, event if _may_handle(place, event) else ""

    def _promise(self, difference: Difference) -> str:
        """The sentence of the exercise that the step should have fulfilled."""
        if difference.step is None or difference.model is None:
            return ""
        if difference.fault and difference.fault.diagnosis == "send-after-close":
            method = type(difference.model).receive_after_close
            is_own = method is not Model.receive_after_close
            return " ".join((method.__doc__ or "").split()) if is_own else ""
        return difference.model.promise_of(difference.step)


def _place_of_silence(difference: Difference, turn) -> Place:
    """The handler that should have led to a message: of the client that took the step."""
    step, own = difference.step, difference.seen.place
    if difference.seen.is_busy:  # it waits in Channels: perhaps for what another consumer does
        others = turn.clients.values() if turn else ()
        return next((other.place for other in others if other.waits), own)
    if step is None or step.action == "wait" or step.client == difference.client:
        return own
    other = turn.clients.get(step.client) if turn else None
    if other:
        return other.place
    # Another process took the step. It may have led to no event in this consumer.
    return own if difference.seen.handled else Place()


def _may_handle(place: Place, event: str) -> bool:
    """Whether the place can belong to what an event has led to: not to another client event."""
    name = _name(place)
    return not name.startswith("websocket_") or name == event.replace(".", "_")


def _name(place: Place) -> str:
    """The name of the method without that of its class."""
    return place.handler.rpartition(".")[2]


def parse_conversation(steps: str | Sequence[str]) -> list[Step]:
    """The steps, and at the end the leaving of each client."""
    texts = split_steps(steps) if isinstance(steps, str) else steps
    parsed = [parse_step(step) for step in texts]
    return [*parsed, *leaving(parsed)]


def one_after_the_other(conversations: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of all conversations, each with other clients."""
    joined: list[Step] = []
    for steps in conversations:
        used = max((step.client or 0 for step in joined), default=0)
        joined += [replace(step, client=step.client and step.client + used) for step in steps]
    return joined


def leaving(steps: Sequence[Step]) -> list[Step]:
    """A step for each client: it opens another page. A client that has left is left alone."""
    own = [step for step in steps if step.client is not None and step.action != "wait"]
    numbers = dict.fromkeys(step.client for step in own)
    ended = {step.client: step.action in ("close", "vanish") for step in own}
    return [Step("close", {"code": 1001}, number) for number in numbers if not ended[number]]


def run_claim(function: Callable, play: Play) -> Outcome:
    """Run one claim."""
    name, claim = function.__name__, claim_of(function)
    try:
        function(play)
    except CheckFailed as failure:
        return Outcome(name, claim, "red", failure.finding, tuple(failure.transcript))
    return Outcome(name, claim, "green")
