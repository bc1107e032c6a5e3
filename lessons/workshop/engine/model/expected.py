"""What one client must receive, and what a step must return; whether what came fits."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from ..recording.transcript import normalize
from ..script.steps import Step
from ..world.daphne_rules import unknown_keys

TIME_TOLERANCE = 0.1  # seconds of the simulated clock
_MOMENT = 1e-6  # seconds: times that differ by less are equal

Arrival = tuple[float, dict]  # the time at which a message came, and the message


@dataclass
class Expected:
    """One message that a client must receive. It never changes.

    `message` is what a finding shows; `matches(received, message)` may allow other messages. `at`
    is the time in seconds at which it must arrive, or None. With `until` it may arrive in a later
    burst, at that time at the latest; without, it must arrive in this burst.

    The messages of one `lane` come in their order, and in any order among those of other lanes:
    the layer's messages from one sender, for example. Messages without a lane come in their order,
    too. Those with `until` and without a lane come in any order.

    A message that a client `may_miss` may be missing. In a named lane the client begins to receive
    with one of the messages, and misses no later one.

    `promise` is the sentence of the exercise that promises the message, and `step` asked for it.
    """

    message: dict
    matches: Callable[[dict, dict], bool] | None = None
    at: float | None = None
    until: float | None = None
    lane: object = None
    may_miss: bool = False
    promise: str = field(default="", compare=False)
    step: Step | None = field(default=None, compare=False)

    def __hash__(self):
        return hash((self.message["type"], self.at, self.until, self.lane))

    @property
    def is_alone(self) -> bool:
        """Whether it may come before or after any other message."""
        return self.lane is None and self.until is not None

    def accepts(self, message: dict) -> bool:
        """Whether a client may receive `message` here, at the right time."""
        if self.matches is not None:
            return self.matches(message, self.message)
        unknown = unknown_keys(message)
        known = {key: value for key, value in message.items() if key not in unknown}
        return normalize(self.message) == normalize(known)

    def after(self, time: float, message: dict) -> "Sequence[Expected] | None":
        """What must follow instead of this when `message` has come; None if it is not allowed."""
        return () if self.is_in_time(time) and self.accepts(message) else None

    def is_in_time(self, time: float) -> bool:
        """Whether the message may arrive at this time."""
        is_late = self.until is not None and time > self.until + TIME_TOLERANCE
        return not is_late and (self.at is None or is_in_time(time, self.at))

    def is_due(self, now: float) -> bool:
        return self.until is None or self.until <= now + _MOMENT

    def fits(self) -> bool:
        """Whether the part of it that has come is right."""
        return True

    def next_burst(self, now: float) -> "Expected | None":
        """What is still expected when the burst is over, or None."""
        return None if self.is_due(now) else self

    def parts(self, now: float) -> "list[Expected]":
        """What a finding shows of it: messages that were due in this burst."""
        return [self]


def complete_response(messages: list[Arrival]) -> list[tuple[float, tuple[int, bytes]]]:
    """A `read` for Stream: the time, status and body of a response that has ended."""
    status, body = None, b""
    for time, message in messages:
        status = message.get("status", status)
        body += message.get("body", b"")
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            return [(time, (status, body))]
    return []


class Stream(Expected):
    """A response whose pieces may be cut as the consumer likes: it is judged as a whole.

    `right` is one right response, as (time, message) pairs. `read` makes a list of (time, value)
    pairs of such pairs: what the pieces mean. For what it cannot read, it returns None or raises.
    """

    def __init__(self, right: list[Arrival], read: Callable[[list], list | None]):
        super().__init__(right[0][1])
        self.right = right
        self.read = read
        self.received: tuple[Arrival, ...] = ()  # so far
        self.shown = 0  # how many of `right` were due before this burst
        self.wanted: list[tuple[float, Any]] = read(right)  # what the right response means

    __eq__, __hash__ = object.__eq__, object.__hash__

    def after(self, *arrival):
        return (self.after_all([arrival]),)

    def after_all(self, arrivals: Sequence[Arrival]) -> "Stream":
        """The stream when more has come, right or not."""
        stream = copy(self)
        stream.received = (*self.received, *arrivals)
        return stream

    def fits(self):
        found = self.found(self.received)
        return (
            found is not None
            and len(found) <= len(self.wanted)
            and all(
                value == own and is_in_time(at, due)
                for (due, value), (at, own) in zip(self.wanted, found, strict=False)
            )
        )

    def found(self, received: Sequence[Arrival]) -> list[tuple[float, Any]] | None:
        """What the client has received means; None if it cannot be read."""
        try:
            return self.read(received)
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def is_due(self, now):
        begun = self.right[0][0]
        due = sum(time < now - TIME_TOLERANCE or time == begun for time, _ in self.wanted)
        return len(self.found(self.received)) < due

    def next_burst(self, now):
        stream = copy(self)
        stream.shown = sum(time <= now for time, _ in self.right)
        return stream

    def parts(self, now):
        due = [it for it in self.right[self.shown :] if it[0] <= now + _MOMENT]
        known = {"promise": self.promise, "step": self.step}
        return [Expected(message, at=time, **known) for time, message in due]


@dataclass(frozen=True)
class Answer:
    """What the answer of a step such as `take` must be. `shown` is what a finding shows.

    `promise` is the sentence of the exercise that promises it, if another method has it.
    """

    shown: Any
    matches: Callable[[Any], bool] | None = None
    promise: str = ""

    def accepts(self, answer) -> bool:
        if self.matches is not None:
            return bool(self.matches(answer))
        return typed(self.shown) == typed(answer)


def is_in_time(time: float, due: float) -> bool:
    return abs(time - due) <= TIME_TOLERANCE


class Lanes:
    """Expected messages by lane, as a state: what has come is no longer in it."""

    def __init__(self, lanes: dict[object, Sequence[Expected]], begun: frozenset = frozenset()):
        self._lanes = lanes
        self._begun = begun  # the lanes in which no further message may be missing

    @classmethod
    def of(cls, items: Iterable[Expected]) -> "Lanes":
        lanes: dict[object, list[Expected]] = {}
        for item in sorted(items, key=lambda it: (it.until is not None, it.is_alone and it.until)):
            lanes.setdefault((id(item),) if item.is_alone else item.lane, []).append(item)
        return cls(lanes)

    def left(self) -> Iterator[tuple[Expected, bool]]:
        """Each message that has not come, and whether it may be missing."""
        for lane, items in self._lanes.items():
            for item in items:
                yield item, item.may_miss and lane not in self._begun

    def taken(self, take: Callable[[Expected], Sequence[Expected] | None]) -> Iterator[tuple]:
        """Each message that may come next and that `take` allows, and the state after it.

        `take` returns what must follow in its place, or None.
        """
        for lane, items in self._lanes.items():
            for index, item in enumerate(items):
                rest = take(item)
                if rest is not None:
                    begun = self._begun if lane is None else self._begun | {lane}
                    after = [*rest, *items[index + 1 :]]
                    yield item, Lanes({**self._lanes, lane: after}, begun)
                if not item.may_miss or lane in self._begun:
                    break


def still_expected(
    items: list[Expected], received: Sequence[Arrival], now: float, may_end: bool = False
) -> list[Expected] | None:
    """What of `items` is expected after this burst; None if `received` is not allowed.

    With `may_end`, the last messages may be missing.
    """
    return _still_expected(Lanes.of(items), received, now, may_end) if items or received else []


def _still_expected(lanes: Lanes, received, now, may_end) -> list[Expected] | None:
    for number, arrival in enumerate(received, start=1):
        ways = _distinct(lanes.taken(lambda item: item.after(*arrival)))  # noqa: B023
        if not ways:
            return None
        if len(ways) > 1:
            rests = (_still_expected(way, received[number:], now, may_end) for way in ways)
            return next((rest for rest in rests if rest is not None), None)
        lanes = ways[0]
    left = [*lanes.left()]
    if not all(item.fits() for item, _ in left):
        return None
    if not may_end and any(item.is_due(now) and not may_miss for item, may_miss in left):
        return None
    return [rest for item, _ in left if (rest := item.next_burst(now)) is not None]


def _distinct(taken: Iterable[tuple[Expected, Lanes]]) -> list[Lanes]:
    """The ways to go on. Of messages that differ only in `until`, the one that is due first came:
    any other one would allow nothing more.
    """
    kept: list[tuple[Expected, Lanes]] = []
    for item, after in taken:
        if not item.is_alone or all(item != replace(one, until=item.until) for one, _ in kept):
            kept.append((item, after))
    return [after for _, after in kept]


def as_received(items: Iterable[Expected], received: list[dict], now: float) -> list[Expected]:
    """What must come in this burst. What allows a message that came is shown as that message."""
    items = [part for item in items for part in item.parts(now)]
    lanes = Lanes.of(items)
    shown: list[Expected] = []
    for message in received:
        taken = lanes.taken(lambda item: () if item.accepts(message) else None)  # noqa: B023
        item, lanes = next(taken, (None, lanes))
        if item is None:
            break
        shown.append(replace(item, message=message))
    left = {id(item): may_miss for item, may_miss in lanes.left()}
    rest = [item for item in items if id(item) in left]
    for item in rest:
        if item.is_due(now) and not left[id(item)]:
            came = received[len(shown)] if len(shown) < len(received) else None
            fits = came is not None and item.accepts(came)
            shown.append(replace(item, message=came) if fits else item)
    later = [it for it in rest if not it.is_due(now) and not any(map(it.accepts, received))]
    return shown + later[: max(0, len(received) - len(shown))]


def is_json_of(message: dict, wanted: dict) -> bool:
    """Whether both messages are text frames with the same JSON value."""
    return json_of(message) == json_of(wanted)


def json_of(message: dict) -> str | None:
    """The JSON value of a text frame, in one spelling; None if it is not JSON."""
    try:
        message["text"].encode()  # raises for a lone surrogate, which no frame can hold
        return json.dumps(json.loads(message["text"]), sort_keys=True)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None


def typed(value):
    """`value` in a form in which 1, 1.0 and True are not equal."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, value
