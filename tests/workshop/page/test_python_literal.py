"""A value as a Python literal, as a page shows it."""

import ast

import pytest

from lessons.workshop.page.python_literal import WIDTH, python_literal


@pytest.mark.parametrize(
    "value",
    [
        'say "hi"',
        "both ' and \"",
        "line\nbreak \\ \x00 é 😀",
        "\ud800",
        b"\x00\xff",
        [1, 2.5, None, True],
        {"type": "websocket.send", "text": "hi " * 50, "nested": [{"a": (1, 2)}]},
    ],
)
def test_a_literal_evaluates_to_its_value_and_is_not_wide(value):
    literal = python_literal(value)
    assert ast.literal_eval(literal) == value
    assert max(map(len, literal.splitlines())) <= WIDTH
