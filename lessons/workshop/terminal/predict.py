"""`lesson predict`: the questions of a lesson in the terminal, and what really happens."""

from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.judge.study.predictions import (
    InvalidPrediction,
    Prediction,
    cards,
    clients,
    predictions,
    received_frames,
    shuffled,
)
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS, Recording
from lessons.workshop.terminal.terminal_output import print_markdown, print_paragraph, print_text


def print_predictions(console, lesson: Lesson, answers: bool) -> None:
    """Print each question with its cards in a random order; with `answers`, what happens too."""
    try:
        found = predictions(lesson)
        for number, prediction in enumerate(found, start=1):
            recording = prediction.recording(lesson)
            print_text(console, f"Question {number} of {len(found)}", style="bold")
            console.print()
            print_markdown(console, prediction.question.strip())
            _print_cards(console, prediction, recording)
            if answers:
                _print_answer(console, prediction, recording)
    except (InvalidPrediction, *PLAYBACK_ERRORS) as error:
        raise CommandError(str(error), returncode=2) from None
    if not answers:
        print_text(console, f"The answers: {MANAGE} lesson predict {lesson.number} --answers")


def _print_cards(console, prediction: Prediction, recording: Recording) -> None:
    console.print()
    for card in shuffled(cards(prediction, recording), seed=prediction.question):
        print_text(console, f"  {card.label}")
    if prediction.kind == "receives":
        print_text(console, f"  for each: client {', '.join(clients(prediction, recording))}?")
    console.print()


def _print_answer(console, prediction: Prediction, recording: Recording) -> None:
    print_text(console, "Answer", style="bold")
    pairs = received_frames(prediction, recording)
    place = 0
    for card in cards(prediction, recording):
        receivers = [client for client, frame in pairs if frame == card.label]
        if prediction.kind == "receives":
            note = f"client {', '.join(receivers)}" if receivers else "no client"
        elif card.event is None:
            note = "never"
        else:
            note = str(place := place + 1)
        print_text(console, f"  {note:<12}  {card.label}")
    console.print()
    print_markdown(console, prediction.because.strip())
    console.print()
    print_paragraph(console, "Transcript: ", " | ".join(prediction.steps), "dim")
    columns = console.width if console.is_terminal else None
    print_text(console, render(recording.events, columns, waits=True))
    console.print()
