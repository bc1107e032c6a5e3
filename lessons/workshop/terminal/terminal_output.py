"""Prints text on a terminal of any width and palette, and in a pipe."""

import os
import textwrap
from io import TextIOWrapper
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from rich.markdown import CodeBlock, Heading, Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text
from rich.theme import Theme

MAX_PROSE = 100  # columns: longer lines are hard to read
STATE_SIGNS = {  # a lesson's or a check's state: its sign and colour
    "green": ("✓", "green"),
    "red": ("✗", "red"),
    "read": ("·", "yellow"),
    "new": ("·", "dim"),
    "not run": ("·", "dim"),
}
_THEME = Theme(  # Rich's own theme prints inline code on black
    {
        "markdown.code": "cyan",
        "markdown.h1": "bold",
        "markdown.h2": "bold cyan",
        "markdown.h3": "cyan",
        "markdown.item.bullet": "cyan",
    }
)


def open_console(file, plain: bool = False, force_colour: bool = False) -> Console:
    """Print to `file`: in colour and as wide as the terminal, or plain text if it is not one.

    NO_COLOR and `plain` switch off colours, and styles such as bold. With `force_colour`, a pipe
    gets what a terminal gets.
    """
    if isinstance(file, TextIOWrapper):  # another encoding lacks our signs
        file.reconfigure(encoding="utf-8", errors="replace")
    colours = None if plain or os.environ.get("NO_COLOR") else "auto"
    return _Console(
        file=file,
        force_terminal=force_colour or None,
        color_system=colours,
        theme=_THEME,
        markup=False,
        emoji=False,
        highlight=False,
    )


class _Console(Console):
    """A console whose reader may end, as in `lesson check 2 | head -1`."""

    def on_broken_pipe(self) -> None:
        """Print nothing more. Rich would exit with code 1, and the code says what is red."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def print_text(console: Console, text: str, style: str = "") -> None:
    """Print lines that must not be wrapped or cut: transcripts, paths, code.

    They may hold what a student's code sent or printed, so control characters are replaced.
    """
    shown = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)
    console.print(Text(shown, style=style), soft_wrap=True)


def print_wrapped(console: Console, text: str) -> None:
    """Print lines whose columns matter. On a terminal, longer lines continue after a word."""
    if console.is_terminal:
        wrapper = textwrap.TextWrapper(
            console.width, subsequent_indent="    ", expand_tabs=False, replace_whitespace=False
        )
        text = "\n".join("\n".join(wrapper.wrap(line)) for line in text.split("\n"))
    print_text(console, text)


def print_paragraph(console: Console, label: Text | str, text: str, style: str = "") -> None:
    """Print a text to the right of its label, wrapped at the console's width."""
    label = Text(label, style="dim") if isinstance(label, str) else label
    width = max(min(console.width, MAX_PROSE) - label.cell_len, 20)
    lines = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        margin = Text(" " * label.cell_len) if number else label
        console.print(Text.assemble(margin, (line, style)), soft_wrap=True)


def print_markdown(console: Console, text: str) -> None:
    """Print Markdown: drawn on a terminal, its source in a pipe."""
    if console.is_terminal:
        console.print(TerminalMarkdown(text), width=min(console.width, MAX_PROSE))
    else:
        print_text(console, text)


def print_python(console: Console, source: str) -> None:
    """Print a Python file, in colour on a terminal."""
    if console.is_terminal:
        console.print(code_block(source, "python"))
    else:
        print_text(console, source.rstrip())


def code_block(source: str, language: str) -> Syntax:
    """Highlighted code without a background, which would be a black box on a light terminal."""
    return Syntax(
        source.rstrip(), language, theme="ansi_dark", background_color="default", word_wrap=True
    )


class _Heading(Heading):
    LEVEL_ALIGN: ClassVar[dict] = {}  # all are aligned left; Rich centres the first


class _CodeBlock(CodeBlock):
    """With its source above it: the info string names the source after the language."""

    @classmethod
    def create(cls, markdown, token):
        block = cls(token.info.partition(" ")[0] or "text", "")
        block.origin = token.info.partition(" ")[2]
        return block

    def __rich_console__(self, console, options):
        if self.origin:
            yield Padding(Text(self.origin, style="dim"), (0, 0, 0, 2))
        yield Padding(code_block(str(self.text), self.lexer_name), (0, 0, 0, 2))


class TerminalMarkdown(Markdown):
    elements = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
    }


def short_path(path: Path | str) -> str:
    """The path relative to the current folder, if it is inside."""
    path = Path(path)
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
