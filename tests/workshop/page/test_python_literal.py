"""A value as a Python literal, as a page shows it."""

import ast

import pytest

from lessons.workshop.page.python_literal import indented_literal, python_literal


@pytest.mark.parametrize(
    "value",
    [
        'say "hi"',
        "both ' and \"",
        "line\nbreak \\ \x00 é 😀",
        "\ud800",
        b"\x00\xff",
        [1, 2.5, None, True],
        {"type": "websocket.send", "text": "hi", "nested": [{"a": (1, 2)}]},
    ],
)
def test_a_literal_evaluates_to_its_value(value):
    assert ast.literal_eval(python_literal(value)) == value


def test_a_wide_value_gets_one_line_per_item():
    value = {"type": "websocket.send", "headers": [(b"a", b"1" * 30), (b"b", b"2")], "empty": {}}
    text = indented_literal(value)
    assert ast.literal_eval(text) == value
    assert max(map(len, text.splitlines())) <= 56
    assert text.splitlines()[1] == '    "type": "websocket.send",'
