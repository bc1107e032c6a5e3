"""Proves that what a lesson asks to predict can be played, and can be answered."""

from lessons.core.catalogue import Lesson
from lessons.judge.predictions import (
    InvalidPrediction,
    Prediction,
    cards,
    clients,
    labels,
    predictions,
    received,
)
from lessons.playback.child_process import NoAnswer
from lessons.playback.conversation import PlaybackLimitExceeded, UnknownStep, play
from lessons.playback.recording_cache import Recording
from lessons.playback.target import UnknownTarget
from lessons.simulator.finding import CheckFailed

FEWEST, MOST = 2, 4  # of a lesson
FEWEST_CARDS, MOST_CARDS = 3, 12  # what is worth ordering, and what can be


def faults_of_predictions(lesson: Lesson) -> list[str]:
    """All that is wrong with them, a line each."""
    try:
        asked = predictions(lesson)
    except InvalidPrediction as fault:
        return [str(fault)]
    faults = []
    if not FEWEST <= len(asked) <= MOST:
        faults.append(f"predict.toml has {len(asked)} predictions in place of 2 to 4")
    for number, prediction in enumerate(asked, start=1):
        try:
            found = _faults_of(lesson, prediction)
        except (UnknownStep, UnknownTarget, PlaybackLimitExceeded, NoAnswer, CheckFailed) as error:
            found = [f"cannot be played: {error}"]
        faults += [f"prediction {number}: {fault}" for fault in found]
    return faults


def _faults_of(lesson: Lesson, prediction: Prediction) -> list[str]:
    # Twice, and neither of them one that was kept: an answer that changes is none.
    name = prediction.consumer(lesson)
    one, other = (Recording(play(lesson, name, list(prediction.steps))) for _ in range(2))
    faults = [] if _answer(prediction, one) == _answer(prediction, other) else ["another each time"]
    if came := labels(prediction, one) & set(prediction.decoys):
        faults.append(f"does come: {', '.join(sorted(came))}")
    kind = _order if prediction.kind == "order" else _receivers
    return faults + kind(prediction, one)


def _answer(prediction: Prediction, recording: Recording) -> tuple:
    labels = tuple(card.label for card in cards(prediction, recording))
    return labels, tuple(received(prediction, recording))


def _order(prediction: Prediction, recording: Recording) -> list[str]:
    right = [card for card in cards(prediction, recording) if card.event is not None]
    if not FEWEST_CARDS <= len(right) <= MOST_CARDS:
        return [f"has {len(right)} events to order in place of 3 to 12"]
    return []


def _receivers(prediction: Prediction, recording: Recording) -> list[str]:
    rows, columns = cards(prediction, recording), clients(prediction, recording)
    pairs = received(prediction, recording)
    if len(rows) * len(columns) < 2:
        return ["has no two frames or clients to tell apart"]
    if not 0 < len(pairs) < len(rows) * len(columns):
        return ["is all or nothing: a decoy, or a client that does not hear it, makes a question"]
    return []
