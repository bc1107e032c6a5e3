"""What the doctor reports: a row for each thing that it examines, as text and as JSON.

It runs before anything is installed. So it has the standard library only, and the syntax of
Python 3.6: no Rich, and a NamedTuple, because dataclasses are newer.
"""

import json
import os
import shutil
import textwrap
from typing import NamedTuple

OK = "ok"
OPTIONAL = "optional"  # something is missing or limited, and the workshop works without it
WRONG = "wrong"  # something that the workshop needs does not work

_SIGNS = {OK: "✓", OPTIONAL: "·", WRONG: "✗"}
_ASCII_SIGNS = {OK: "+", OPTIONAL: "-", WRONG: "x"}
_COLOURS = {OK: "32", OPTIONAL: "33", WRONG: "1;31"}  # green, yellow, bold red
_NAME_WIDTH = 13
_MAX_WIDTH = 100  # longer lines are hard to read
_BEFORE = "    " + " " * _NAME_WIDTH


class Row(NamedTuple):
    """One thing that was examined. `text` says how it is, in sentences.

    `needed_for` says what does not work without it, and `cure` is a command to paste.
    """

    name: str
    state: str
    text: str
    needed_for: str = ""
    cure: str = ""


def as_json(rows) -> str:
    """The rows for a program: {"works": true, "rows": [{"name": "Python", "state": "ok", ...}]}."""
    found = {"works": works(rows), "rows": [row._asdict() for row in rows]}
    return json.dumps(found, indent=2) + "\n"


def works(rows) -> bool:
    """Whether everything works that the workshop needs."""
    return all(row.state != WRONG for row in rows)


def as_text(rows, file, colours: bool) -> str:
    """The rows for a person who reads `file`, with a summary at the end."""
    signs = _signs_for(file)
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    lines = [line for row in rows for line in _lines(row, signs, width, colours)]
    lines += ["", *textwrap.wrap(_summary(rows), width)]
    encoding = getattr(file, "encoding", None) or "utf-8"
    return ("\n".join(lines) + "\n").encode(encoding, "replace").decode(encoding)


def wants_colours(file) -> bool:
    """Whether `file` is a terminal, and its user has not asked for plain text."""
    name = "WT_SESSION" if os.name == "nt" else "TERM"  # older consoles of Windows have no colours
    has_colours = os.environ.get(name, "dumb") != "dumb"
    return file.isatty() and has_colours and not os.environ.get("NO_COLOR")


def _lines(row, signs, width, colours):
    """The text beside sign and name, and below it the command, which is never wrapped."""
    text = row.text + (f" Needed for {row.needed_for}." if row.needed_for else "")
    first, *others = textwrap.wrap(
        text, max(width - len(_BEFORE), 20), break_long_words=False, break_on_hyphens=False
    )
    sign = _coloured(signs[row.state], _COLOURS[row.state], colours)
    yield f"  {sign} {row.name.ljust(_NAME_WIDTH)}{first}"
    for line in others:
        yield _BEFORE + line
    if row.cure:
        yield _BEFORE + _coloured(row.cure, "36", colours)  # cyan


def _coloured(text, colour, colours):
    return f"\x1b[{colour}m{text}\x1b[0m" if colours else text


def _signs_for(file):
    try:
        "".join(_SIGNS.values()).encode(getattr(file, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return _ASCII_SIGNS
    return _SIGNS


def _summary(rows) -> str:
    wrong, optional = (
        ", ".join(row.name for row in rows if row.state == state) for state in (WRONG, OPTIONAL)
    )
    if wrong:
        return f"Repair this: {wrong}." + (f" Optional: {optional}." if optional else "")
    if optional:
        return f"The workshop works. Missing or limited, but optional: {optional}."
    return "Everything works."
