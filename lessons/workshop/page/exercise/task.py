"""The task of an exercise: its docstring."""

import ast
from typing import NamedTuple

from django.utils.safestring import SafeString

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.source_code import read_python
from lessons.workshop.page.markup import markdown_to_html


class Task(NamedTuple):
    """What the docstring of an exercise asks for. It begins with `Lesson 3: its title.`"""

    title: str
    html: SafeString


def task_of(lesson: Lesson) -> Task:
    """The task of the original exercise: a student may have deleted the docstring of the copy."""
    docstring = ast.get_docstring(ast.parse(read_python(lesson.original))) or ""
    first, _, text = docstring.partition("\n")
    return Task(first.partition(": ")[2].rstrip("."), markdown_to_html(text.strip()))
