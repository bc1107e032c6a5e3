"""`lesson predict`: it asks the questions of predict.toml, and then shows what happens."""

import re
from string import ascii_lowercase

import pytest

from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.terminal.predict import predict
from lessons.workshop.terminal.terminal_output import open_console
from tests.support.lesson_command import Terminal, lesson, refusal


def dialogue(lamp, reply):
    """What it prints. `reply(prompt, printed so far)` is what the student answers."""
    file = Terminal()
    console = open_console(file, plain=True)
    predict(console, lamp, False, lambda prompt: reply(prompt, file.getvalue()))
    return file.getvalue()


@pytest.mark.parametrize("verdict", ["Right.", "Not quite."])
def test_asks_before_it_shows_and_says_whether_the_reply_is_right(lamp, verdict):
    decoy = 'kind = "order"\ndecoys = ["client ← websocket.close"]'
    lamp.predictions.write_text(lamp.predictions.read_text().replace('kind = "order"', decoy))
    order = predictions(lamp)[0].played(lamp)
    right = [ascii_lowercase[order.shown.index(card)] for card in order.cards[:-1]]
    replies = [" ".join(right), "1"] if verdict == "Right." else ["a", "2"]
    asked = []

    def reply(prompt, shown):
        asked.append(prompt)
        assert shown.count("Answer\n") == len(asked) - 1
        return replies[len(asked) - 1]

    shown = dialogue(lamp, reply)
    assert asked[1:] == ["Which of the clients 1, 2 receive a? "]
    assert re.findall(r"^(Right\.|Not quite\.)$", shown, re.M) == [verdict] * 2
    assert re.search(r"^  never +client ← websocket\.close$", shown, re.M)
    assert re.search(r'^  client 1 +websocket\.send  text: "on"$', shown, re.M)
    assert re.search(r"^Transcript: connect \| text on\n  1  client +→ scope", shown, re.M)


def test_prints_the_answers_when_asked_for_them(course):
    shown = lesson("predict", "1", "--answers")
    assert (shown.count("Answer\n"), "Not quite." in shown) == (2, False)


def test_without_a_terminal_it_shows_no_answer_and_names_the_command(lamp):
    def no_input(*_):
        raise EOFError

    shown = dialogue(lamp, no_input)
    assert "Question 1 of 2" in shown
    assert "Answer\n" not in shown
    assert "python3 manage.py lesson predict 1 --answers\n" in shown


def test_a_prediction_that_is_not_valid_is_rejected(course):
    course[0].predictions.write_text("[[prediction]]\nkind = 1\n")
    assert "predict.toml: " in refusal("predict", "1")
