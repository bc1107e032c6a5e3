"""`lesson predict`: the questions of predict.toml in the terminal, with or without answers."""

import re

from lessons.workshop.course.lesson_index import find
from tests.support.lesson_command import lesson, refusal


def test_prints_the_questions_and_their_cards_without_the_answers():
    shown = lesson("predict", "group")
    assert "Question 1 of 3\n\nClients 1 and 2 are connected" in shown
    cards = ['  websocket.send  text: "now playing: tango"', "  for each: client 1, 2, 3?"]
    assert set(cards) <= set(shown.splitlines())
    assert "Answer\n" not in shown
    assert "A group keeps no" not in shown
    assert shown.endswith("The answers: python3 manage.py lesson predict 12 --answers\n")


def test_an_answer_names_the_clients_that_receive_each_frame():
    shown = lesson("predict", "group", "--answers")
    assert '  client 1, 2   websocket.send  text: "now playing: tango"\n' in shown
    assert '  no client     websocket.send  text: "someone left", again\n' in shown
    assert "A group keeps no" in shown


def test_an_answer_numbers_the_events_and_has_the_transcript():
    shown = lesson("predict", "group", "--answers").partition("Question 2 of 3")[2]
    question, answer = shown.partition("Question 3 of 3")[0].split("Answer\n")
    answer, transcript = answer.split("Transcript: ")
    numbers, cards = zip(*re.findall(r"^  (\d)  +(.+)$", answer, re.M), strict=True)
    assert list(numbers) == [str(number) for number in range(1, len(cards) + 1)]
    assert cards[0] == 'client 1 → websocket.receive  text: "hello"'
    assert set(re.findall(r"^  (\S+ \d [→←] .+)$", question, re.M)) == set(cards)
    assert transcript.startswith("connect | 2 connect | text hello\n  1  client 1   → scope")


def test_a_decoy_never_happens():
    slug = "accept"
    assert "decoys" in find(slug).predictions.read_text(encoding="utf-8")
    assert re.search(r"^  never  +\S", lesson("predict", slug, "--answers"), re.M)


def test_a_prediction_that_is_not_valid_is_rejected(course):
    course[0].predictions.write_text("[[prediction]]\nkind = 1\n")
    assert "predict.toml: " in refusal("predict", "1")
