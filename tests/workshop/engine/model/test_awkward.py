"""Awkward values stand in a step as its place needs them."""

import pytest

from lessons.workshop.engine.model.awkward import JSON, NAMES, TEXTS, filled, lengths, near
from lessons.workshop.engine.script.steps import parse_step

STEPS = ("text …", 'text {"v": …}', 'group hall {"type": "news", "v": …}', "connect /a/…/?b=1")


@pytest.mark.parametrize("step", STEPS)
def test_a_filled_step_can_be_written_and_read(step):
    for value in (*TEXTS, *JSON, *NAMES, *near("word"), *lengths(50)):
        whole = filled(step, value)
        assert parse_step(str(whole)) == whole


def test_a_text_in_an_object_is_one_json_string():
    step = filled('group hall {"type": "news", "v": …}', '"a": {…')
    assert step.arguments["message"] == {"type": "news", "v": '"a": {…'}
