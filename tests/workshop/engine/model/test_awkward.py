"""Awkward values stand in a step as its place needs them."""

import json

import pytest

from lessons.workshop.engine.model.awkward import JSON, NAMES, TEXTS, filled, lengths, near
from lessons.workshop.engine.script.steps import parse_step

STEPS = ("text …", 'text {"v": …}', 'group hall {"type": "news", "v": …}', "connect /a/…/?b=1")


@pytest.mark.parametrize("step", STEPS)
def test_a_filled_step_can_be_written_and_read(step):
    for value in (*TEXTS, *JSON, *NAMES, *near("word"), *lengths(50)):
        whole = filled(step, value)
        assert parse_step(str(whole)) == whole


def test_a_json_value_stands_in_an_object_in_its_own_spelling():
    texts = [filled('text {"v": …}', value).arguments["text"] for value in JSON]
    assert '{"v": 1E2}' in texts
    assert '{"v": "a\\/b"}' in texts
    assert all("v" in json.loads(text) for text in texts)


def test_a_text_in_an_object_is_one_json_string():
    step = filled('group hall {"type": "news", "v": …}', '"a": {…')
    assert step.arguments["message"] == {"type": "news", "v": '"a": {…'}


def test_values_near_a_word_differ_from_it():
    first, *others = near("word")
    assert first == "word"
    assert "word" not in others
    assert len({*others}) == len(others)
    assert {"wor", "ord", " word", "WORD", "word\n", "word\0"} <= {*others}
