"""Plays many generated conversations on a consumer, and finds the shortest one that fails.

The claims of a check.py are few and friendly. Here clients are not: they send awkward texts, speak
at the same time, leave early, and send frames after a close. What must follow is what the lesson's
model says. The conversations are always the same ones, so a verdict does not vary:
first a sweep over all awkward frames, then conversations that Hypothesis draws from a fixed seed.

Hypothesis is imported when the conversations are generated, or when a failing one is shortened. The
generated conversations are kept in a file, since the import takes longer than playing many of them.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import Difference, find_difference
from lessons.workshop.engine.process.player_handle import PlayerEnded
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script import steps as playback_steps
from lessons.workshop.engine.script.steps import Step, bursts_of, parse_step
from lessons.workshop.judge import claims, conversation_strategies
from lessons.workshop.judge.claims import Play, leaving
from lessons.workshop.judge.source_texts import texts_in
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.setup import atomic_write
from lessons.workshop.student.progress import state_dir

GENERATED = 70  # conversations that are played
DRAWN = 350  # conversations that Hypothesis draws; many are alike
MAX_SHORTENING = 200  # conversations that are played to shorten a failing one
MAX_REMOVED = 60  # steps of which each is left out once, to see whether it is needed
NAME = "exploration"
CLAIM = "Whatever clients send, and whenever, the consumer keeps its promise."


def explore(lesson: Lesson, players: PlayerPool, model: type[Model], source: str = "") -> Outcome:
    """Play all conversations. The outcome is red with the shortest conversation that fails.

    Clients also send the texts that `source`, the submission's text, mentions.
    """
    play = Play(lesson, players, model)
    number = 0
    try:
        options = model.play_options(thorough=False)
        for steps, played in players.play_all(conversations_of(lesson, model, source), options):
            number += 1
            if difference := find_difference(model(), steps, played):
                if not _is_stuck(difference):  # each shorter one might use up its time, too
                    difference = _shortened(play, steps, difference)
                raise play.failure(difference)
    except CheckFailed as failure:
        return Outcome(NAME, CLAIM, "red", failure.finding, tuple(failure.transcript))
    except PlayerEnded as ended:
        return Outcome(NAME, CLAIM, "red", ended.finding)
    return Outcome(NAME, f"{CLAIM} ({number} conversations)", "green")


def _is_stuck(difference: Difference) -> bool:
    return difference.fault is not None and difference.fault.diagnosis == "stuck"


def conversations_of(lesson: Lesson, model: type[Model], source: str = "") -> Iterator[list[Step]]:
    """All conversations for a submission, always the same ones in the same order."""
    yield from conversation_strategies.sweep(model, texts_in(source))
    for texts in _generated(lesson, model):
        yield [parse_step(text) for text in texts]


def _generated(lesson: Lesson, model: type[Model]) -> list[list[str]]:
    """The generated conversations, from the file that holds them if it is up to date."""
    file = state_dir() / "conversations" / f"{lesson.folder.name}.json"
    digest = _digest(model)
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["digest"] == digest:
            return kept["conversations"]
    found: list[list[str]] = []
    conversation_strategies.generate(model, DRAWN, lambda steps: found.append([*map(str, steps)]))
    found = conversation_strategies.varied(found, GENERATED)
    with suppress(OSError):  # a project that cannot be written to is still judged
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic_write.write(file, json.dumps({"digest": digest, "conversations": found}).encode())
    return found


def _digest(model: type[Model]) -> str:
    """A digest of what the conversations depend on."""
    names = (
        *("handshakes", "actions", "texts", "others", "setups", "ends", "max_clients"),
        *("frames", "points", "last_steps"),
    )
    parts = [getattr(model, name) for name in names]
    frames = [*map(model.frame_of, conversation_strategies.AWKWARD_TEXTS)]
    modules = (conversation_strategies, claims, playback_steps)
    sources = [Path(module.__file__).read_bytes() for module in modules]
    content = repr((parts, frames, GENERATED, DRAWN, version("hypothesis"))).encode()
    return hashlib.sha256(b"".join([*sources, content])).hexdigest()


def _shortened(play: Play, steps: list[Step], difference: Difference) -> Difference:
    """The difference in the shortest conversation that Hypothesis finds from this one."""
    known: dict[str, Difference | None] = {_key(steps): difference}
    best = difference
    failed_at = _key(steps)
    has_failed = False

    def visit(candidate: list[Step]) -> None:
        nonlocal best, has_failed
        key = _key(candidate)
        has_failed = has_failed or key == failed_at
        if not has_failed:  # it was right when all conversations were played
            return
        if key not in known and len(known) < MAX_SHORTENING:
            known[key] = play.difference(candidate)[0]
        if found := known.get(key):
            if _length(found) < _length(best):
                best = found
            raise AssertionError

    with suppress(AssertionError):
        conversation_strategies.generate(play.model, DRAWN, visit)
    return _without_needless_steps(play, best)


def _without_needless_steps(play: Play, difference: Difference) -> Difference:
    """The difference without the steps that it does not need. Those that connect stay.

    The model's setup stays as well: the model counts on it, so each answer after it would differ.
    Hypothesis shortens what it has drawn. A conversation of the sweep is shortened here alone.
    """
    difference = _without_needless_clients(play, difference)
    tried = 0
    number = len(difference.steps_so_far) - 1
    kept = _setup_length(play.model, difference.steps_so_far)
    while number >= kept and tried < MAX_REMOVED:
        steps = difference.steps_so_far
        if not steps[number].kind.begins:
            rest = [*steps[:number], *steps[number + 1 :]]
            if steps[number].point is None and not steps[number].together:
                # The next step of the burst begins it now.
                rest[number : number + 1] = [
                    replace(it, together=False, point=None) for it in rest[number : number + 1]
                ]
            tried += 1
            found = play.difference([*rest, *leaving(rest)])[0]
            if found and _length(found) < _length(difference):
                difference = found
        number = min(number, len(difference.steps_so_far)) - 1
    return difference


def _setup_length(model: type[Model], steps: list[Step]) -> int:
    """How many of the first steps say how to play, or are the model's setup."""
    setup = {step for steps in model.setups for step in steps}
    own = (step.kind.is_setup or str(step) in setup for step in steps)
    return len([*takewhile(bool, own)])


def _without_needless_clients(play: Play, difference: Difference) -> Difference:
    """The difference without the clients that it does not need."""
    for client in {step.client: None for step in difference.steps_so_far}:
        rest = _without_client(difference.steps_so_far, client)
        if client is not None and rest:
            found = play.difference([*rest, *leaving(rest)])[0]
            if found and _length(found) < _length(difference):
                difference = found
    return difference


def _without_client(steps: list[Step], client: int) -> list[Step]:
    """The steps of all others. The next step of a burst begins it if its first one is left out."""
    rest: list[Step] = []
    for burst in bursts_of(steps):
        others = [step for step in burst if step.client != client]
        rest += [replace(step, together=False, point=None) for step in others[:1]] + others[1:]
    return [*(step for step in steps if step.kind.is_setup), *rest]


def _length(difference: Difference) -> tuple[int, int]:
    so_far = difference.steps_so_far
    return len(so_far), sum(len(str(step)) for step in so_far)


def _key(steps: list[Step]) -> str:
    return " | ".join(map(str, steps))
