"""The tables of NOTES.md that are made from what the project knows."""

import re
from functools import partial
from pathlib import Path

from lessons.core.catalogue import Lesson, lessons
from lessons.core.diagnoses import Diagnosis, catalogue
from tests.db_demo import test_chat_security
from tests.notes.figures import echo, fanout, sizing, soak
from tests.notes.servers import FILE as SERVERS
from tests.redis import differences

_OTHERS = ("### Of no lesson", None)
_MARKS = re.compile(r"[\\`*<>\[\]|]|(?<!\w)_|_(?!\w)")


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is, in a cell of a table."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split()))


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def diagnoses() -> str:
    """All diagnoses, those of each lesson together."""
    parts = []
    for title, number in [*((_heading(lesson), lesson.number) for lesson in lessons()), _OTHERS]:
        own = [_row(entry) for entry in catalogue().values() if entry.lesson == number]
        if own:
            head = ["diagnosis", "symptom", "cause", "cure"]
            parts.append(f"{title}\n\n{table(head, own)}")
    return "\n\n".join(parts)


def _heading(lesson: Lesson) -> str:
    link = f"[{lesson.title}](lessons/course/{lesson.folder.name}/lesson.md)"
    return f"### Lesson {lesson.number}: {lesson.slug}\n\n{link}"


def _row(entry: Diagnosis) -> list[str]:
    name = f"{plain(entry.title)} `{entry.id}`"
    return [name, plain(entry.symptom), plain(entry.cause), plain(entry.cure)]


def measured(file: Path) -> str:
    """The table in that file, of which the first column has no name yet."""
    return file.read_text(encoding="utf-8").rstrip().replace("|  |", "| what |", 1)


def security() -> str:
    """The items of the docstring that says what an attacker may try, each with its proofs."""
    items = re.findall(r"^(\S[^\n]*):\n((?: {4}[^\n]*\n)+)", test_chat_security.__doc__, re.M)
    rows = []
    for item, text in items:
        answer, _, proofs = text.partition("→")
        links = [f'[test]("{name}")' for name in re.findall(r"\btest_\w+(?=[,\n])", proofs)]
        answer = plain(answer).replace(r"\`", "`")  # it has code of its own
        rows.append([plain(item), " ".join([answer, *links])])
    return table(["what may be tried", "what the chat does"], rows)


TABLES = {
    "diagnoses": diagnoses,
    "layers": partial(measured, differences.FILE),
    "servers": partial(measured, SERVERS),
    "security": security,
}
FIGURES = {
    "figures-sizing": sizing,
    "figures-echo": echo,
    "figures-fanout": fanout,
    "figures-soak": soak,
}
