"""Writes a plain value as Python source, in the style that this project's tests are written in."""

import json
from pprint import PrettyPrinter

WIDTH = 56  # characters; what is wider gets a line for each item


class _DoubleQuotes(PrettyPrinter):
    """{"text": "hi"} gives `{"text": "hi"}`, where repr() gives `{'text': 'hi'}`."""

    def format(self, value, *others):
        if not isinstance(value, str):
            return super().format(value, *others)
        # A lone surrogate cannot be saved in a file, so it is written as an escape.
        written = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return written.decode(), True, False


def python_literal(value) -> str:
    """`value` as a Python literal, perhaps of several lines."""
    return _DoubleQuotes(width=WIDTH, sort_dicts=False).pformat(value)
