"""Writes a plain value as Python source, in the style that this project's tests are written in."""

import json


def python_literal(value) -> str:
    """`value` as a Python literal, in double quotes where they need no escape.

    {"text": "hi"} gives `{"text": "hi"}`, where repr() gives `{'text': 'hi'}`.
    """
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bytes):
        has_quotes = b"'" in value or b'"' in value
        return repr(value) if has_quotes else f'b"{repr(value)[2:-1]}"'
    if isinstance(value, dict):
        pairs = (f"{python_literal(key)}: {python_literal(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list | tuple):
        items = ", ".join(map(python_literal, value))
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items}{',' * (len(value) == 1)})"
    return repr(value)


def _string(value: str) -> str:
    # A lone surrogate cannot be saved in a file, so it is written as an escape.
    written = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    if '"' in value and "'" not in value:
        return "'" + written[1:-1].replace('\\"', '"') + "'"
    return written
