"""A student's code as lines of HTML. Nothing in it can harm the page, and a large text is cut."""

import re
import unicodedata
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from lessons.workshop.page.markup import highlight_code

MAX_COLOURED = 60_000  # characters; colours take about a second for each megabyte
MAX_LINES = 1_500
MAX_LENGTH = 500  # characters of a line
# They change the direction of a text, so that code reads unlike it runs.
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class CodeLines(NamedTuple):
    """The lines, and how many more the text has."""

    lines: list[SafeString]
    more: int


def code_lines(code: str) -> CodeLines:
    """The lines of `code`, with the colours of the course's pages."""
    lines = re.split("\r\n|\r|\n", code)
    shown = [_readable(line) for line in lines[:MAX_LINES]]
    text = "\n".join(shown)
    html = highlight_code(text, "python") if len(text) <= MAX_COLOURED else escape(text)
    return CodeLines([mark_safe(line) for line in html.split("\n")], len(lines) - len(shown))


def _readable(line: str) -> str:
    """The line with an escape for each character that is invisible or changes the direction."""
    if len(line) > MAX_LENGTH:
        line = f"{line[:MAX_LENGTH]}…"
    if line.isprintable() and not _DIRECTION.search(line):
        return line
    return "".join(one if one == "\t" or _is_visible(one) else ascii(one)[1:-1] for one in line)


def _is_visible(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"
