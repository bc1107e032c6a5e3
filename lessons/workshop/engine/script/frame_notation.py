"""How the data of a frame is written in a step.

A text that one line cannot show is written as JSON, with the number of its repetitions if there
are several: `text "two\\nlines"`, `text "a" * 65536`. A long text may have parts:
`text "begin " + "a" * 65536 + " end"`. So are bytes that are repeated: `bytes 00ff * 5000`.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from .action import Kind, without_bar

# Characters or bytes of a frame: twice what Daphne receives. A few words could ask for all memory.
MAX_PAYLOAD = 2**21
_PART = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")(?: \* (?P<times>[1-9]\d{0,6}))?(?: \+ |\Z)')
_REPEATED = re.compile(r"(?P<unit>.{1,8}?)(?P=unit){15,}", re.DOTALL)
_LONG = 200  # characters: a repetition that long becomes a separate part


def _read_text(written: str) -> str:
    parts, end = [], 0
    while found := _PART.match(written, end):
        try:
            parts.append((json.loads(found["text"]), int(found["times"] or 1)))
        except ValueError:
            return written
        end = found.end()
    if not end or end != len(written) or written.endswith(" + "):
        return written  # a text with quotes that is not JSON stands for itself
    _check_length(sum(len(unit) * times for unit, times in parts), "characters")
    return "".join(unit * times for unit, times in parts)


@lru_cache(256)  # generated conversations have the same long texts
def _write_text(text: str) -> str:
    if unit := _repeated_unit(text, range(1, 9)):
        return f"{_quoted(unit)} * {len(text) // len(unit)}"
    parts, end = [], 0
    for found in _REPEATED.finditer(text):
        if len(found[0]) >= _LONG:
            before = text[end : found.start()]
            times = len(found[0]) // len(found["unit"])
            parts += [_quoted(before)] if before else []
            parts.append(f"{_quoted(found['unit'])} * {times}")
            end = found.end()
    if parts:
        return " + ".join([*parts, *([_quoted(text[end:])] if end < len(text) else [])])
    is_plain = text == text.strip() and text.isprintable() and "|" not in text
    return text if is_plain and text[:1] != '"' else _quoted(text)


def _quoted(text: str) -> str:
    return without_bar(json.dumps(text))


def _read_hex(written: str) -> str:
    unit, _, times = written.partition(" * ")
    data, count = bytes.fromhex(unit), int(times or 1)
    _check_length(len(data) * count, "bytes")
    return data.hex() * count


@lru_cache(256)
def _write_hex(value: str) -> str:
    unit = _repeated_unit(value, range(2, 9, 2))
    return f"{unit} * {len(value) // len(unit)}" if unit else value


def _repeated_unit(text: str, lengths: Iterable[int]) -> str | None:
    """The shortest unit of such a length that makes the whole text when it is repeated often.

    A regular expression takes 100 times as long for a text of 500,000 characters.
    """
    for length in lengths:
        is_often = len(text) >= 16 * length and len(text) % length == 0
        if is_often and text.startswith(text[length:]):
            return text[:length]
    return None


def _check_length(length: int, kind: str) -> None:
    """Raise ValueError if a frame would be too long. Call this before the frame is made."""
    if length > MAX_PAYLOAD:
        raise ValueError(
            f"a frame has at most {MAX_PAYLOAD} {kind}, not {length}; use a smaller number"
        )


TEXT = Kind(_read_text, _write_text)
HEX = Kind(_read_hex, _write_hex)
