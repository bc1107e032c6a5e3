"""What a student predicts before it is played, and what a recorded run says to that.

A lesson's predict.toml holds some `[[prediction]]`, each with

    question   in the lesson's voice, Markdown
    because    what explains the answer, told after it
    steps      the conversation, as in a transcript
    target     "demo" (by default), "solution" or "mistake:Name"
    kind       "order": put the events in order; "receives": tick which client gets which frame
    lanes      whose events are asked for; by default client and consumer
    types      and of which type; by default all but the scope, and for "receives" what is sent
    decoys     events, as a transcript writes them, that never come
    exact      true where the clock decides between two clients, and no other order is right

The answer stands nowhere: it is what crosses when the steps are played.
"""

import random
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lessons.core.catalogue import Lesson
from lessons.playback.recording_cache import Recording, record
from lessons.wire.events import Event
from lessons.wire.transcript import ARROWS, connections_of, event_text, lane_of

KINDS = ("order", "receives")
SENT = ("websocket.send", "websocket.close", "http.response.body")


class InvalidPrediction(ValueError):
    """A prediction that cannot be asked; the text says why."""


@dataclass(frozen=True)
class Prediction:
    """One entry of predict.toml."""

    question: str
    because: str
    steps: tuple[str, ...]
    kind: str
    target: str = "demo"
    lanes: tuple[str, ...] = ("client", "consumer")
    types: tuple[str, ...] = ()
    decoys: tuple[str, ...] = ()
    exact: bool = False

    def consumer(self, lesson: Lesson) -> str:
        """The name under which `play` knows the target."""
        return lesson.demo if self.target == "demo" else self.target

    def recording(self, lesson: Lesson) -> Recording:
        return record(lesson, self.consumer(lesson), list(self.steps))

    def asks_for(self, event: Event) -> bool:
        kind = event.message.get("type")
        types = self.types or (SENT if self.kind == "receives" else ())
        wanted = kind in types if types else kind != "scope"
        return wanted and event.lane in self.lanes


def predictions(lesson: Lesson) -> tuple[Prediction, ...]:
    """Those of the lesson; none where it has no file of them. Raises InvalidPrediction."""
    file = lesson.predictions
    try:
        return _read(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return ()


@lru_cache(maxsize=64)
def _read(file: Path, saved: int) -> tuple[Prediction, ...]:
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("prediction", [])
        found = tuple(
            Prediction(**{k: tuple(v) if isinstance(v, list) else v for k, v in one.items()})
            for one in entries
        )
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise InvalidPrediction(f"{file.name}: {error}") from None
    for one in found:
        if one.kind not in KINDS:
            raise InvalidPrediction(f"{file.name}: the kind {one.kind!r} is none of {KINDS}")
    return found


@dataclass(frozen=True)
class Card:
    """What is put in order, or a row of what is received: `label` as a transcript writes it."""

    label: str
    event: int | None  # its place in the recording; None for a decoy


def cards(prediction: Prediction, recording: Recording) -> list[Card]:
    """The right ones in the order in which they crossed, then the decoys."""
    all_labels = _labels(recording.events)
    asked = [index for index, it in enumerate(recording.events) if prediction.asks_for(it)]
    if prediction.kind == "order":
        right = [Card(all_labels[index], index) for index in asked]
    else:
        frames = dict.fromkeys(frame for _, frame in received(prediction, recording))
        right = [Card(frame, None) for frame in frames]
    return right + [Card(decoy, None) for decoy in prediction.decoys]


def labels(prediction: Prediction, recording: Recording) -> set[str]:
    """Of all that comes, asked for or not, as the cards of this prediction have it."""
    if prediction.kind == "order":
        return set(_labels(recording.events))
    sent = {event_text(event.message) for event in recording.events if event.direction == "out"}
    return sent | {frame for _, frame in received(prediction, recording)}


def shuffled(things: Sequence, seed: str) -> list:
    """The same for the same seed, and never as they were where they can be otherwise."""
    mixed = list(things)
    random.Random(seed).shuffle(mixed)
    return mixed if mixed != list(things) else mixed[1:] + mixed[:1]


def clients(prediction: Prediction, recording: Recording) -> list[str]:
    """Names of those that could receive something, in the order in which they came."""
    found = connections_of(recording.events)
    of_clients = {event.connection for event in recording.events if event.lane == "client"}
    return [str(number) for number, one in enumerate(found, 1) if one in of_clients]


def received(prediction: Prediction, recording: Recording) -> list[tuple[str, str]]:
    """Who received what: a client's name and a frame, which is told apart from the one before."""
    found = connections_of(recording.events)
    counts: Counter = Counter()
    pairs = []
    for event in recording.events:
        if prediction.asks_for(event):
            client, frame = str(found.index(event.connection) + 1), event_text(event.message)
            counts[client, frame] += 1
            again = counts[client, frame] - 1
            pairs.append((client, frame + (", once more" * again)))
    return pairs


def is_each_in_place(
    prediction: Prediction, recording: Recording, given: Sequence[Card], never: Sequence[Card]
) -> tuple[list[bool], list[bool]]:
    """For each card that was put in order, and for each that is said never to come: is it right?

    An order is right where nothing comes before what has led to it, and a card where neither it
    nor what it leads to does; two clients that the same message reaches may come either way round.
    """
    events = recording.events
    leads_to = _what_leads_to(events)
    if prediction.exact:
        leads_to = [set(range(index)) for index in range(len(events))]
    places = _places(prediction, recording)
    asked = {index for indices in places.values() for index in indices}
    come: set[int] = set()
    right = []
    for card in given:
        left = places.get(card.label)
        index = left.pop(0) if left else None
        if index is None:
            right.append(False)
            continue
        is_late = any(index in leads_to[earlier] for earlier in come)
        right.append(not is_late and not (leads_to[index] & asked) - come)
        come.add(index)
    return right, [card.label in prediction.decoys for card in never]


def _places(prediction: Prediction, recording: Recording) -> dict[str, list[int]]:
    """Where in the recording each label stands: cards that look alike may change places."""
    places: dict[str, list[int]] = {}
    for card in cards(prediction, recording):
        if card.event is not None:
            places.setdefault(card.label, []).append(card.event)
    return places


def _labels(events: Sequence[Event]) -> list[str]:
    found = connections_of(events)
    return [
        f"{lane_of(event, found)} {ARROWS[event.direction]} {event_text(event.message)}"
        for event in events
    ]


def _what_leads_to(events: Sequence[Event]) -> list[set[int]]:
    """For each event, the indices of those that come before it in every run."""
    led: list[set[int]] = []
    for later, event in enumerate(events):
        before: set[int] = set()
        for earlier in range(later):
            if _leads(events[earlier], event):
                before |= {earlier} | led[earlier]
        led.append(before)
    return led


def _leads(one: Event, other: Event) -> bool:
    """Whether the earlier of two events has to come first."""
    if one.connection == other.connection:
        return True
    # A client acts when all is at rest, and what follows is its doing.
    if any(event.lane == "client" and event.direction == "in" for event in (one, other)):
        return True
    inner = one.message.get("message")
    return (
        one.lane == other.lane == "layer"
        and other.direction == "in"
        and isinstance(inner, dict)
        and inner.get("type") == other.message.get("type")
    )
