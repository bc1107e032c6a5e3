"""`lesson predict`: asks what will happen in a conversation, then shows what really happens."""

from collections.abc import Callable
from string import ascii_lowercase

from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.judge.study.predictions import InvalidPrediction, Played, predictions
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.terminal.terminal_output import print_markdown, print_text
from lessons.workshop.terminal.verdict_text import print_transcript


def predict(console, lesson: Lesson, answers: bool, ask: Callable[[str], str] = input) -> None:
    """Ask each question; after the reply, print what happens. With `answers`, ask nothing."""
    try:
        found = predictions(lesson)
        for number, prediction in enumerate(found, start=1):
            played = prediction.played(lesson)
            print_text(console, f"Question {number} of {len(found)}\n", "bold")
            print_markdown(console, prediction.question.strip())
            console.print()
            for letter, card in zip(ascii_lowercase, played.shown, strict=False):
                print_text(console, f"  {letter}  {card.label}")
            console.print()
            if not answers:
                is_right = _ask(played, ask)
                print_text(console, "\nRight." if is_right else "\nNot quite.", style="bold")
            _print_answer(console, played)
    except EOFError:  # no terminal
        print_text(console, f"\nThe answers: {MANAGE} lesson predict {lesson.number} --answers")
    except (InvalidPrediction, *PLAYBACK_ERRORS) as error:
        raise CommandError(str(error), returncode=2) from None


def _ask(played: Played, ask) -> bool:
    """Whether the user's reply is right."""
    numbers = {letter: str(it) for it, letter in enumerate(ascii_lowercase[: len(played.shown)])}
    if played.kind == "receives":
        names, ticks = ", ".join(played.clients), []
        for letter, number in numbers.items():
            reply = ask(f"Which of the clients {names} receive {letter}? ")
            ticks += [f"{client}:{number}" for client in reply.replace(",", " ").split()]
        return played.is_right(ticks)
    reply = ask("The letters in order, without what never happens: ")
    given = [numbers[letter] for letter in reply.lower() if letter in numbers]
    return played.is_right(given, [one for one in numbers.values() if one not in given])


def _print_answer(console, played: Played) -> None:
    print_text(console, "Answer", style="bold")
    for number, card in enumerate(played.cards, start=1):  # what never happens is last
        note = "never" if card.event is None else str(number)
        if played.kind == "receives":
            receivers = [client for client, frame in played.received_frames if frame == card.label]
            note = f"client {', '.join(receivers)}" if receivers else "no client"
        print_text(console, f"  {note:<12}  {card.label}")
    console.print()
    print_markdown(console, played.prediction.because.strip())
    console.print()
    print_transcript(console, " | ".join(played.prediction.steps), played.recording.events)
    console.print()
