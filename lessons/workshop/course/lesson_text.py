"""A lesson's Markdown with the real code in it, for the terminal and the page.

A program fills these fenced blocks:
- ```` ```code QUALIFIED.NAME ````, empty: replaced with that code from its file, so a text never
  shows outdated code.
- ```` ```transcript NAME | step | step ````: its body was recorded by `lesson verify --update`.
- ```` ```bench NAME ````, empty: replaced with the table that `manage.py bench NAME` has saved.
- ```` ```table NAME ````, empty: replaced with the file NAME.md beside the text.
"""

import re
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

from django.conf import settings

from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import Source, UnknownName, find_in_file, find_source

# A fenced block.
BLOCK = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=fence) *$", re.M | re.S)
_DRAWING = re.compile(r"^!\[.*\]\([\w-]+\.svg.*\)$", re.M)
_SHOW = re.compile(r"^## Show\n+", re.M)
_MISTAKE = re.compile(r"^- `(?P<name>\w+)`.*(?:\n +\S.*)*$", re.M)


class RecordedConversation(NamedTuple):
    """A transcript in a text: the name of what was played, the steps in one text, the lines."""

    name: str
    steps: str
    transcript: str


class TextError(ValueError):
    """A lesson's text names something that does not exist; the message names both."""


def expanded_text(lesson: Lesson) -> str:
    """The lesson's text as plain Markdown: each of our blocks becomes ```python or ```text.

    The info string names the source of the block after the language. The text is read again each
    time, so a page shows what an author has just saved.
    """
    return expand_markdown(Lesson(lesson.folder).text, lesson.path_to("lesson.md"))


def expanded_teach_page(lesson: Lesson) -> str:
    """The instructor's page as plain Markdown. Raises TextError if the lesson has none.

    It adds what other files know: the lesson's drawings, the command for its tests, and the code of
    each mistake that the page names.
    """
    try:
        markdown = lesson.teach_page.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TextError(f"{lesson.teach_page} does not exist") from None
    known = {mistake.name for mistake in read_mistakes(lesson)}

    def with_code(found: re.Match) -> str:
        if found["name"] not in known:  # `lesson verify` names it
            return found[0]
        code = _python_block(find_in_file(lesson.mistakes, found["name"]))
        return f"{found[0]}\n\n{indent(code, '  ')}\n"

    drawings = "".join(f"{drawing}\n\n" for drawing in _DRAWING.findall(lesson.text))
    command = f"`{MANAGE} test --lesson {lesson.number}` prints a line for each claim.\n"
    markdown = expand_markdown(markdown.strip(), lesson.teach_page)
    markdown = _SHOW.sub(lambda _: f"## Show\n\n{drawings}", markdown)
    before, heading, mistakes = markdown.partition("\n## Usual mistakes\n")
    return f"{before}{heading}{command}\n{_MISTAKE.sub(with_code, mistakes.lstrip())}"


def kind_and_rest(block: re.Match) -> tuple[str, str]:
    """The first word of a block's info string, such as `transcript`, and the rest."""
    kind, _, rest = block["info"].strip().partition(" ")
    return kind, rest.strip()


def names_of_shown_code(lesson: Lesson) -> list[str]:
    """The qualified names in the lesson's code blocks."""
    blocks = map(kind_and_rest, BLOCK.finditer(lesson.text))
    return [name for kind, name in blocks if kind == "code"]


def recorded_conversations(markdown: str) -> list[RecordedConversation]:
    """The conversations of a text, in its order."""
    found = []
    for block in BLOCK.finditer(markdown):
        kind, what = kind_and_rest(block)
        name, _, steps = what.partition(" | ")
        if kind == "transcript" and steps:
            found.append(RecordedConversation(name, steps, block["body"]))
    return found


def first_conversation(lesson: Lesson) -> RecordedConversation | None:
    """The first conversation with the worked example in the lesson's text."""
    found = recorded_conversations(lesson.text)
    return next((one for one in found if one.name == lesson.demo), None)


def names_in_transcripts(lesson: Lesson) -> set[str]:
    """What was played for the transcripts of the lesson's text and of its instructor's page."""
    texts = [lesson.text]
    if lesson.teach_page.is_file():
        texts.append(lesson.teach_page.read_text(encoding="utf-8"))
    return {one.name for text in texts for one in recorded_conversations(text)}


def expand_markdown(markdown: str, origin) -> str:
    """`markdown` with our blocks replaced. `origin` is its file, which errors name."""

    def expanded(block: re.Match) -> str:
        kind, name = kind_and_rest(block)
        match kind:
            case "code" if block["body"].strip():
                raise TextError(f"{origin}: the block ```code {name} must be empty")
            case "code":
                try:
                    return _python_block(find_source(name))
                except UnknownName as error:
                    message = f"{origin}: ```code {name} cannot be shown, {error}"
                    raise TextError(message) from error
            case "transcript":
                return block[0].replace("transcript ", "text transcript: ", 1)
            case "bench":
                return _figures(name)
            case "table":
                file = Path(origin).with_name(f"{name}.md")
                try:
                    return file.read_text(encoding="utf-8").rstrip()
                except OSError:
                    raise TextError(f"{origin}: {file.name} does not exist") from None
        return block[0]

    return BLOCK.sub(expanded, markdown)


def _figures(name: str) -> str:
    """This machine's figures, or the command that measures them."""
    try:
        table = (settings.STATE_DIR / "bench" / f"{name}.txt").read_text(encoding="utf-8")
    except OSError:
        return (
            f"*Measure this machine:* `{MANAGE} bench {name}` "
            "*takes a minute and shows the figures here.*"
        )
    return f"```text bench: {name}\n{table.rstrip()}\n```"


def _python_block(source: Source) -> str:
    fence = _fence_around(source.text)
    return f"{fence}python {source.place}\n{source.text}\n{fence}"


def _fence_around(text: str) -> str:
    """One backtick more than the longest run in the text."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))


def split_chapters(markdown: str) -> list[str]:
    """The text before the first heading of level 2, then each chapter with its heading."""
    without_blocks = BLOCK.sub(lambda block: " " * len(block[0]), markdown)
    starts = [found.start() for found in re.finditer("^## ", without_blocks, re.M)]
    return [markdown[start:end] for start, end in pairwise([0, *starts, len(markdown)])]
