"""`lesson predict`: it asks the questions of predict.toml, and then shows what happens."""

import re

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.terminal.predict import predict
from lessons.workshop.terminal.terminal_output import open_console
from tests.support.lesson_command import Terminal, lesson, refusal


@pytest.fixture
def answers():
    """What `lesson predict` prints without a question."""
    return lambda slug: lesson("predict", slug, "--answers")


def replies_of(slug, decide):
    """Answer each question by `decide(prompt, shown so far)`. What it prints."""
    file = Terminal()
    predict(open_console(file, plain=True), find(slug), False, lambda text: decide(text, file))
    return file.getvalue()


def letters_in_order(shown, answer):
    """The letters of the cards as the answer numbers them."""
    cards = dict(re.findall(r"^  ([a-z])  (\S.*)$", shown, re.M))
    order = re.findall(r"^  \d+ +(\S.*)$", answer, re.M)
    return " ".join(letter for label in order for letter, card in cards.items() if card == label)


def test_asks_before_it_shows_and_says_whether_the_reply_is_right(answers):
    answer = answers("accept").split("Answer\n")[1].partition("Transcript")[0]
    seen = []

    def reply(prompt, file):
        seen.append(file.getvalue())
        return letters_in_order(file.getvalue(), answer) if len(seen) == 1 else "a"

    shown = replies_of("accept", reply)
    assert "Answer" not in seen[0]
    assert re.findall(r"^(Right\.|Not quite\.)$", shown, re.M) == ["Right.", "Not quite."]
    assert re.search(
        r"^  never  +\S.*\n(.*\n)*?Transcript: connect\n  1  client +→ scope", shown, re.M
    )


def test_asks_which_clients_receive_each_frame(answers):
    pattern = r"^  (?:client ([\d, ]+?)|no client)  +(\S.*)$"
    receivers = {label: names for names, label in re.findall(pattern, answers("group"), re.M)}

    def reply(prompt, file):
        letter = re.search(r" receive ([a-z])\? $", prompt)
        if letter is None:
            raise EOFError
        label = re.findall(rf"^  {letter[1]}  (\S.*)$", file.getvalue(), re.M)[-1]
        return receivers[label]

    shown = replies_of("group", reply)
    assert re.findall(r"^(Right\.|Not quite\.)$", shown, re.M)[0] == "Right."


def test_without_a_terminal_it_shows_no_answer_and_names_the_command(monkeypatch):
    def no_input(prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", no_input)
    file = Terminal()
    predict(open_console(file, plain=True), find("group"), False, no_input)
    assert "Question 1 of 3" in file.getvalue()
    assert "Answer\n" not in file.getvalue()
    assert "python3 manage.py lesson predict 12 --answers\n" in file.getvalue()


def test_a_prediction_that_is_not_valid_is_rejected(course):
    course[0].predictions.write_text("[[prediction]]\nkind = 1\n")
    assert "predict.toml: " in refusal("predict", "1")
