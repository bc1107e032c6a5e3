"""Python can read every literal that is written."""

import ast

import pytest

from lessons.workshop.engine.recording.python_literal import indented_literal, python_literal


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        'say "hi"',
        "it's",
        "both ' and \"",
        "line\nbreak \\ \x00 é 😀",
        "\ud800",
        b"\x00\xff",
        b"it's",
        b'"',
        [1, 2.5, None, True],
        (),
        (b"name",),
        {"type": "websocket.send", "text": "hi", "nested": [{"a": (1, 2)}]},
    ],
)
def test_a_literal_evaluates_to_its_value(value):
    assert ast.literal_eval(python_literal(value)) == value


def test_strings_and_bytes_get_double_quotes():
    assert python_literal("hi") == '"hi"'
    assert python_literal(b"hi") == 'b"hi"'


def test_a_string_with_double_quotes_gets_single_quotes():
    assert python_literal('say "hi"') == "'say \"hi\"'"


def test_a_wide_value_gets_one_line_per_item():
    value = {"type": "websocket.send", "headers": [(b"a", b"1" * 30), (b"b", b"2")], "empty": {}}
    text = indented_literal(value)
    assert ast.literal_eval(text) == value
    assert max(map(len, text.splitlines())) <= 56
    assert text.splitlines()[1] == '    "type": "websocket.send",'


def test_a_short_value_stays_on_one_line():
    assert indented_literal({"type": "finished"}) == '{"type": "finished"}'
