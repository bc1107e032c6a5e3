"""A lesson's Markdown with the real code in it, for the terminal and for the page.

A fenced block ```` ```code QUALIFIED.NAME ```` with nothing in it stands for the code of that name,
which is cut from its file, so that a text never shows code that is not there any more. The body of
a ```` ```transcript NAME | step | step ```` block was recorded by running NAME. An empty
```` ```chart NAME ```` block stands for the figures that `manage.py bench NAME` has kept, and an
empty ```` ```table NAME ```` block for the Markdown in NAME.md beside the text, made by a program.
"""

import re
from pathlib import Path

from django.conf import settings

from lessons.core.catalogue import Lesson
from lessons.core.source import UnknownName, find_source

_CODE = re.compile(
    r"^(?P<fence>`{3,})code +(?P<name>\S+) *\n(?P<body>.*?)^(?P=fence) *$", re.M | re.S
)
_CHART = re.compile(r"^```chart +(?P<name>\w+) *\n``` *$", re.M)
_TABLE = re.compile(r"^```table +(?P<name>\w+) *\n``` *$", re.M)
_TRANSCRIPT = re.compile(r"^(?P<fence>`{3,})transcript +(?P<what>.*\S) *$", re.M)


class TextError(ValueError):
    """A lesson's text asks for something that is not there; the message names lesson and name."""


def expanded_text(lesson: Lesson) -> str:
    """The lesson's text as plain Markdown: a ```python or ```text block for each of ours.

    What follows the language in the info string says where the block comes from. Read anew each
    time, so that a page shows what an author has just saved.
    """
    return expand_markdown(Lesson(lesson.folder).text, lesson.path_to("lesson.md"))


def names_of_shown_code(lesson: Lesson) -> list[str]:
    """The qualified names of the code that the lesson's text shows."""
    return [found["name"] for found in _CODE.finditer(lesson.text)]


def expand_markdown(markdown: str, origin) -> str:
    """`markdown` with code pulled in; `origin` is named in errors."""

    def pull_in(found: re.Match) -> str:
        name = found["name"]
        if found["body"].strip():
            raise TextError(f"{origin}: the block ```code {name} must be empty")
        try:
            source = find_source(name)
        except UnknownName as error:
            raise TextError(f"{origin}: ```code {name} cannot be shown, {error}") from error
        fence = _fence_around(source.text)
        return f"{fence}python {source.place}\n{source.text}\n{fence}"

    def put_in(found: re.Match) -> str:
        file = Path(origin).with_name(f"{found['name']}.md")
        try:
            return file.read_text(encoding="utf-8").rstrip()
        except OSError:
            raise TextError(f"{origin}: there is no {file.name} beside it") from None

    markdown = _TRANSCRIPT.sub(r"\g<fence>text transcript: \g<what>", markdown)
    markdown = _TABLE.sub(put_in, markdown)
    return _CODE.sub(pull_in, _CHART.sub(_figures, markdown))


def read_bench_figures(file_name: str) -> str:
    """A table or picture of this machine's figures. Raises OSError where it was not measured."""
    return (settings.STATE_DIR / "bench" / file_name).read_text(encoding="utf-8")


def _figures(found: re.Match) -> str:
    """This machine's own figures, or how to come by them."""
    name = found["name"]
    try:
        table = read_bench_figures(f"{name}.txt")
    except OSError:
        return (
            "*This machine was not measured yet:* `python3 manage.py bench "
            f"{name}` *takes two minutes, and puts its figures here.*"
        )
    return f"```text chart: {name}\n{table.rstrip()}\n```"


def _fence_around(text: str) -> str:
    """One backtick more than the longest run in the code itself."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
