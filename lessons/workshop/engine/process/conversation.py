"""Plays a short conversation with a consumer in a child process, and returns its events.

The child process ends with the conversation, so this process stays without threads and may fork.
The child sends plain data: events, or the reason why there are none. See steps.py for the steps.
"""

import asyncio
import itertools
import logging
import threading
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.utils import timezone

from lessons.workshop.engine.faults.finding import CheckFailed, Finding
from lessons.workshop.engine.process.child_process import NoAnswer, read_dataclass, run_isolated
from lessons.workshop.engine.recording import recorder
from lessons.workshop.engine.recording.events import Event
from lessons.workshop.engine.script.player import Player
from lessons.workshop.engine.script.steps import Step, UnknownStep, parse_step
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world.channel_layer import fake_redis
from lessons.workshop.engine.world.clock import simulated_clock
from lessons.workshop.engine.world.loop import SimulatedLoop
from lessons.workshop.engine.world.signal_receivers import isolated_signals
from lessons.workshop.engine.world.student_module import load_subject

PLAY_TIMEOUT = 5.0  # seconds that a conversation may take
MAX_EVENTS = 2000  # events of one conversation that are kept
MOMENT = 1e-6  # seconds between two events at the same time of the loop's clock
FROZEN_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)  # what Django's clock shows in a conversation


class PlaybackLimitExceeded(Exception):
    """A conversation that took too long or caused too many events; `events` are the first ones."""

    def __init__(self, reason: str, events: tuple[Event, ...]):
        super().__init__(reason)
        self.reason, self.events = reason, events


PLAYBACK_ERRORS = (UnknownStep, CheckFailed, PlaybackLimitExceeded, NoAnswer)


def play(subject: Subject, steps: list[str], timeout=PLAY_TIMEOUT) -> tuple[Event, ...]:
    """The events of a conversation in `steps` with the subject.

    After the consumer has broken a rule, only the client's waits are played. Raises the exceptions
    in PLAYBACK_ERRORS: CheckFailed where the subject's file cannot be run, PlaybackLimitExceeded
    after `timeout` seconds or too many events.
    """
    return _play(subject, steps, timeout, "events", _events)


def play_in_turns(subject: Subject, steps: list[str]) -> tuple["StepEvents", ...]:
    """As play(), step by step, and without the events of workers."""
    return _play(subject, steps, PLAY_TIMEOUT, "bursts", _turns)


class StepEvents(NamedTuple):
    """One step, the number of its client or None, and the events that followed, by client."""

    client: int | None
    step: str
    events: tuple[tuple[int, Event], ...]


def _play(subject: Subject, steps: list[str], timeout: float, wanted: str, read) -> Any:
    parsed = [parse_step(step) for step in steps]
    answer = run_isolated(_play_here, subject, parsed, timeout, wanted)
    try:
        error = _error_in(answer)
        result = None if error else read(answer["result"])
    except (TypeError, ValueError, KeyError):
        raise NoAnswer("Its process sent something that is not an answer.") from None
    if error:
        raise error
    return result


def _events(data: Any) -> tuple[Event, ...]:
    return tuple(read_dataclass(Event, event) for event in data)


def _turns(data: Any) -> tuple[StepEvents, ...]:
    return tuple(
        StepEvents(
            parse_step(turn["steps"][0]).client,
            turn["steps"][0],
            tuple((number, read_dataclass(Event, event)) for number, event in turn["events"]),
        )
        for turn in data
    )


def _error_in(answer: dict) -> Exception | None:
    """The exception that the child reports, if it reports one."""
    match answer:
        case {"unknown step": text}:
            return UnknownStep(text)
        case {"finding": finding}:
            return CheckFailed(read_dataclass(Finding, finding))
        case {"limit": reason, "events": events}:
            return PlaybackLimitExceeded(reason, _events(events))
    return None


def _play_here(answer, subject: Subject, steps: list[Step], timeout: float, wanted: str):
    """In the child: play the conversation and send what happened."""
    logging.disable()  # what a consumer logs is not a part of the transcript
    # A mistake may be a forgotten await: the transcript shows it, so the warning is not needed.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    timezone.now = lambda: FROZEN_NOW
    try:
        loaded = load_subject(subject)
        player = Player(subject, loaded)
        player.with_state = True
        _answer_after(timeout, answer, player)
        _run(player, loaded, steps)
    except UnknownStep as error:
        answer({"unknown step": str(error)})
    except CheckFailed as red:
        answer({"finding": red.finding})
    if len(player.events) > MAX_EVENTS:
        answer(_limit_exceeded(f"Cut after {MAX_EVENTS} events.", player))
    answer({"result": getattr(player, wanted)})


def _answer_after(timeout: float, answer, player: Player) -> None:
    """Send what happened so far when the conversation takes longer than `timeout` seconds."""

    def stop():
        answer(_limit_exceeded(f"Stopped after {timeout:g} s.", player))

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()


def _limit_exceeded(reason: str, player: Player) -> dict:
    return {"limit": reason, "events": player.events[:MAX_EVENTS]}


def _run(player: Player, loaded, steps: list[Step]) -> None:
    setup = {step.action: step.arguments for step in steps if step.kind.is_setup}
    config = {"capacity": setup["capacity"]["messages"]} if "capacity" in setup else {}
    with (
        fake_redis(**config),
        isolated_signals(loaded),
        asyncio.Runner(loop_factory=SimulatedLoop) as runner,
    ):
        # The loop's clock shows the waits in the transcript, although they take no time.
        recorder.clock = _with_distinct_times(runner.get_loop())
        with simulated_clock(runner.get_loop()):
            runner.run(player.play(steps))


def _with_distinct_times(loop: SimulatedLoop) -> Callable[[], float]:
    """The clock of `loop`, a moment later at each call: no two events have equal times."""
    moments = itertools.count(1)
    return lambda: loop.elapsed() + next(moments) * MOMENT
