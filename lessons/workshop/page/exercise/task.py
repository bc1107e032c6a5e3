"""The task of an exercise: its docstring, and the places that the student must complete."""

import ast
import re
from typing import NamedTuple

from django.utils.safestring import SafeString

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import read_python
from lessons.workshop.page.markup import markdown_to_html

_TODO = re.compile(r"^\s*# *(TODO\b.*)")
_COMMENT = re.compile(r"^\s*# ?(.*)")


class Todo(NamedTuple):
    """A TODO comment of the student's file. `line` is its number in the file."""

    line: int
    text: str


class Task(NamedTuple):
    """What the docstring of an exercise asks for. It begins with `Lesson 3: its title.`"""

    title: str
    html: SafeString


def task_of(lesson: Lesson) -> Task:
    """The task of the original exercise: a student may have deleted the docstring of the copy."""
    docstring = ast.get_docstring(ast.parse(read_python(lesson.original))) or ""
    first, _, text = docstring.partition("\n")
    return Task(first.partition(": ")[2].rstrip("."), markdown_to_html(text.strip()))


def todos(lesson: Lesson) -> list[Todo]:
    """The TODO comments of the student's file. Empty if the file cannot be read."""
    try:
        lines = read_python(lesson.exercise).split("\n")
    except (OSError, SyntaxError, LookupError, UnicodeDecodeError):
        return []
    return [
        Todo(number, " ".join([found[1], *_continuation(lines[number:])]))
        for number, line in enumerate(lines, start=1)
        if (found := _TODO.match(line))
    ]


def _continuation(lines: list[str]) -> list[str]:
    """The text of the comment lines that `lines` begins with."""
    texts = []
    for line in lines:
        found = _COMMENT.match(line)
        if not found or _TODO.match(line):
            break
        texts.append(found[1])
    return texts
