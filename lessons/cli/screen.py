"""Where the workshop's text goes: a terminal of any width and palette, a pipe, a poor encoding."""

import os
import textwrap
from pathlib import Path

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

TICK, CROSS, NOT_RUN = "✓", "✗", "·"
_FINE = "✓✗·→←≠…•─│"
_PLAIN = "+x-><!~*-|"
_THEME = Theme(  # rich's own puts inline code on black
    {
        "markdown.code": "cyan",
        "markdown.h1": "bold",
        "markdown.h2": "bold cyan",
        "markdown.h3": "cyan",
        "markdown.item.bullet": "cyan",
    }
)


def open_console(file, plain: bool = False) -> Console:
    """Print to `file`: coloured and as wide as a terminal is, plain text anywhere else.

    NO_COLOR or `plain` do without bold type and the like, too.
    """
    encoding = getattr(file, "encoding", None) or "utf-8"
    try:
        _FINE.encode(encoding)
    except UnicodeEncodeError:
        file = _Plain(file, encoding)
    colours = None if plain or os.environ.get("NO_COLOR") else "auto"
    return Console(
        file=file,
        color_system=colours,
        theme=_THEME,
        markup=False,
        emoji=False,
        highlight=False,
    )


class _Plain:
    """A file whose encoding lacks our signs: each gets a stand-in of the same width."""

    _table = str.maketrans(_FINE, _PLAIN)

    def __init__(self, file, encoding: str):
        self._file = file
        self._encoding = encoding

    def write(self, text: str) -> int:
        text = text.translate(self._table).encode(self._encoding, "replace").decode(self._encoding)
        return self._file.write(text)

    def __getattr__(self, name):
        return getattr(self._file, name)


def print_text(console: Console, text: str, style: str = "") -> None:
    """Print lines that lose their meaning when wrapped or cut: transcripts, paths, code.

    What a student's code sent or printed is among them, so no control character gets through.
    """
    shown = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)
    console.print(Text(shown, style=style), soft_wrap=True)


def print_paragraph(console: Console, label: Text | str, text: str, style: str = "") -> None:
    """A paragraph to the right of its label, however many lines it takes."""
    label = Text(label, style="dim") if isinstance(label, str) else label
    width = max(console.width - label.cell_len, 20)
    lines = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        margin = Text(" " * label.cell_len) if number else label
        console.print(Text.assemble(margin, (line, style)), soft_wrap=True)


def markdown(console: Console, text: str) -> None:
    """Markdown drawn on a terminal; in a pipe its source, which is plain text already."""
    if not console.is_terminal:
        print_text(console, text)
        return
    from lessons.cli.pager import Page

    console.print(Page(text))


def python(console: Console, source: str) -> None:
    """A Python file, coloured where there is colour."""
    if not console.is_terminal:
        print_text(console, source.rstrip())
        return
    from lessons.cli.pager import code

    console.print(code(source, "python"))


def short_path(path: Path | str) -> str:
    """A path as a student would type it from where they are."""
    path = Path(path)
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
