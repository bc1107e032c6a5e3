"""Asks a student to predict a conversation, and grades the answer by playing the conversation.

A lesson's predict.toml has a `[[prediction]]` for each question, with these keys:

    question   the text of the question, Markdown
    because    the explanation, shown after the answer
    steps      the conversation, written as in a transcript
    target     "demo" (the default), "solution" or "mistake:Name"
    kind       "order": put the events in order; "receives": tick which client receives which frame
    lanes      the lanes whose events are asked for; by default client and consumer
    types      their types; by default all but the scope, and for "receives" what a consumer sends
    decoys     events, written as in a transcript, that do not happen
    exact      true if only the recorded order is right, because the clock decides it

No file holds the answer: it is the recording of the steps.

The idea of grading an order: two events may change places, unless one must happen before the other
in every run. Take two clients in a group, and a message to the group:

    client 1 → websocket.receive      A
    layer    ← group_send             B
    client 1 ← websocket.send         C
    client 2 ← websocket.send         D

A comes before B, because both belong to one connection. B comes before C and D, because B causes
both. Nothing orders C and D. So A B C D and A B D C are both right, and B A C D is not.
"""

import random
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.recording.transcript import ARROWS, connections_of, event_text, lane_of
from lessons.workshop.judge.study.recordings import Recording, record

KINDS = ("order", "receives")
SENT = ("websocket.send", "websocket.close", "http.response.body")


class InvalidPrediction(ValueError):
    """A prediction that is not valid; the text says why."""


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
        """The target's name for `record`."""
        return lesson.demo if self.target == "demo" else self.target

    def played(self, lesson: Lesson) -> "Played":
        return Played(self, record(lesson, self.consumer(lesson), list(self.steps)))

    def asks_for(self, event: Event) -> bool:
        kind = event.message.get("type")
        types = self.types or (SENT if self.kind == "receives" else ())
        wanted = kind in types if types else kind != "scope"
        return wanted and event.lane in self.lanes


def predictions(lesson: Lesson) -> tuple[Prediction, ...]:
    """The lesson's predictions, in the order of the file. Raises InvalidPrediction."""
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
            raise InvalidPrediction(f"{file.name}: kind is {one.kind!r}; use one of {KINDS}")
    return found


@dataclass(frozen=True)
class Card:
    """An event to put in order, or a frame to tick. A transcript writes it like `label`."""

    label: str
    event: int | None  # its index in the recording; None for a decoy


@dataclass(frozen=True)
class Played:
    """A prediction, and the recording that has its answer."""

    prediction: Prediction
    recording: Recording

    @property
    def kind(self) -> str:
        return self.prediction.kind

    @property
    def cards(self) -> list[Card]:
        """The right cards in the recorded order, then the decoys."""
        events = self.recording.events
        if self.kind == "order":
            texts = _labels(events)
            asked = [index for index, it in enumerate(events) if self.prediction.asks_for(it)]
            right = [Card(texts[index], index) for index in asked]
        else:
            frames = dict.fromkeys(frame for _, frame in self.received_frames)
            right = [Card(frame, None) for frame in frames]
        return right + [Card(decoy, None) for decoy in self.prediction.decoys]

    @property
    def all_labels(self) -> set[str]:
        """The labels of all events, also of those that the prediction does not ask for."""
        events = self.recording.events
        if self.kind == "order":
            return set(_labels(events))
        sent = {event_text(event.message) for event in events if event.direction == "out"}
        return sent | {frame for _, frame in self.received_frames}

    @property
    def clients(self) -> list[str]:
        """The names of the clients that can receive a frame, in the order of their connections."""
        events = self.recording.events
        of_clients = {event.connection for event in events if event.lane == "client"}
        found = enumerate(connections_of(events), 1)
        return [str(number) for number, one in found if one in of_clients]

    @property
    def received_frames(self) -> list[tuple[str, str]]:
        """The name of a client and a frame, for each received frame.

        A repeated frame has ", again" behind it.
        """
        found = connections_of(self.recording.events)
        counts: Counter = Counter()
        pairs = []
        for event in self.recording.events:
            if self.prediction.asks_for(event):
                client, frame = str(found.index(event.connection) + 1), event_text(event.message)
                counts[client, frame] += 1
                repeats = counts[client, frame] - 1
                pairs.append((client, frame + (", again" * repeats)))
        return pairs

    # Pages, terminals and votes number the cards as shown: from 0.

    @property
    def shown(self) -> list[Card]:
        """The cards in a random order, which is the same wherever the question is asked."""
        return shuffled(self.cards, seed=self.prediction.question)

    @property
    def right_ticks(self) -> set[str]:
        """What really arrives: "2:0" is client 2 and the first card."""
        if self.kind != "receives":
            return set()
        places = {card.label: number for number, card in enumerate(self.shown)}
        return {f"{client}:{places[label]}" for client, label in self.received_frames}

    def is_right(self, given: Sequence[str], never: Sequence[str] = ()) -> bool:
        """Whether the ticked boxes are right, or the order of the cards and those left out.

        What is not an answer at all is wrong.
        """
        if self.kind == "receives":
            return set(given) == self.right_ticks
        try:
            return all(self.grade([int(one) for one in given], [int(one) for one in never]))
        except ValueError:
            return False

    def grade(self, given: Sequence[int], never: Sequence[int]) -> list[bool]:
        """Whether each shown card is right: of those in an order, and of those that never happen.

        A card in the order is right if every event that must come before it does, and no event that
        must come after it does. An event that the student takes for one that never happens is wrong
        alone. Raises ValueError if a card has no place, or two.
        """
        shown = self.shown
        if sorted([*given, *never]) != list(range(len(shown))):
            raise ValueError("Each card must have exactly one place.")
        causes = _causes(self.recording.events, self.prediction.exact)
        places: dict[str, list[int]] = {card.label: [] for card in shown}
        for card in self.cards:  # equal cards may change places
            places[card.label] += [] if card.event is None else [card.event]
        for number in never:
            places[shown[number].label][-1:] = []
        asked = {index for indices in places.values() for index in indices}
        right = [card.label in self.prediction.decoys for card in shown]
        placed: set[int] = set()
        for number in given:
            left = places[shown[number].label]
            right[number] = bool(left)
            if left:
                index = left.pop(0)
                is_late = any(index in causes[earlier] for earlier in placed)
                right[number] = not is_late and not (causes[index] & asked) - placed
                placed.add(index)
        return right


def shuffled(things: Sequence, seed: str) -> list:
    """The things in another order, always the same for the same seed."""
    mixed = list(things)
    random.Random(seed).shuffle(mixed)
    return mixed if mixed != list(things) else mixed[1:] + mixed[:1]


def _labels(events: Sequence[Event]) -> list[str]:
    found = connections_of(events)
    return [
        f"{lane_of(event, found)} {ARROWS[event.direction]} {event_text(event.message)}"
        for event in events
    ]


def _causes(events: Sequence[Event], is_exact: bool) -> list[set[int]]:
    """For each event, the indices of the events that come before it in every run.

    If the order `is_exact`, these are all earlier ones.
    """
    causes: list[set[int]] = []
    for later, event in enumerate(events):
        before: set[int] = set()
        for earlier in range(later):
            if is_exact or _is_cause(events[earlier], event):
                before |= {earlier} | causes[earlier]
        causes.append(before)
    return causes


def _is_cause(one: Event, other: Event) -> bool:
    """Whether the earlier of two events comes first in every run."""
    if one.connection == other.connection:
        return True
    # A client acts when every consumer is idle. What follows is an effect of the action.
    if any(event.lane == "client" and event.direction == "in" for event in (one, other)):
        return True
    inner = one.message.get("message")  # the layer delivers what was sent
    return (
        one.lane == other.lane == "layer"
        and other.direction == "in"
        and isinstance(inner, dict)
        and inner.get("type") == other.message.get("type")
    )
