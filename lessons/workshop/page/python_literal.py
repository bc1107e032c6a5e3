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


def indented_literal(value, width: int = 56, indent: str = "") -> str:
    """`value` as a Python literal. What is wider than `width` characters gets a line per item."""
    line = python_literal(value)
    if not value or not isinstance(value, dict | list | tuple) or len(indent + line) <= width:
        return line
    deeper = f"{indent}    "
    if isinstance(value, dict):
        start, end = "{}"
        items = [
            f"{python_literal(key)}: {indented_literal(item, width, deeper)}"
            for key, item in value.items()
        ]
    else:
        start, end = "[]" if isinstance(value, list) else "()"
        items = [indented_literal(item, width, deeper) for item in value]
    return f"{start}\n" + "".join(f"{deeper}{item},\n" for item in items) + indent + end


def _string(value: str) -> str:
    # A lone surrogate cannot be saved in a file, so it is written as an escape.
    written = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    if '"' in value and "'" not in value:
        return "'" + written[1:-1].replace('\\"', '"') + "'"
    return written
