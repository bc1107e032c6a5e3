"""`lesson new`: a folder for one more lesson, with all that is still to be written in it."""

import re
from pathlib import Path

from django.core.management.base import CommandError

from lessons import catalogue
from lessons.terminal.screen import literal, short

_FILES = {
    "lesson.md": """\
---
demo: sync_demo.consumers.{name}
path: /ws/sync/{slug}/
exercise: {name}(SyncConsumer)
---
# TODO: the title

## See it

## Why

## Do it

## Where it bites
""",
    "predict.toml": '''\
# What a student is asked before it is played; the answer is what then crosses. Two to four.

[[prediction]]
question = """TODO: in which order do the events come?"""
because = """TODO: what explains the answer."""
steps = ["connect", "close 1001"]
kind = "order"

[[prediction]]
question = """TODO: who receives what?"""
because = """TODO: what explains the answer."""
steps = ["connect", "2 connect", "text hello", "close 1001", "2 close 1001"]
kind = "receives"
decoys = ["websocket.send  text: \\"TODO\\""]
''',
    "exercise.py": '''\
"""TODO: the task, in two or three sentences."""

from channels.consumer import SyncConsumer


class {name}(SyncConsumer):
    """TODO: what it does once it is right."""
''',
    "solution.py": '''\
"""TODO: only what was added, and why."""

from channels.consumer import SyncConsumer


class {name}(SyncConsumer):
    """TODO: what it does."""
''',
    "mistakes.py": '''\
"""TODO: the classic wrong versions, a class each, with what was misunderstood as docstring.

Each has an attribute `diagnosis`: the id that it must get.
"""
''',
    "check.py": '''\
"""TODO: the checks. Each docstring is a line that a student sees ticked or crossed."""


async def test_todo(communicator):
    """TODO: the claim."""
    client = communicator()
    await client.connect()
''',
    "hints.md": """\
## TODO: where to look

## TODO: what to write

## TODO: nearly the solution
""",
}


def scaffold(console, slug: str) -> None:
    """Write the seven files of the next lesson; each says what it lacks."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise CommandError(
            f"{slug!r} is no slug: write small letters, digits and _, a letter first.", returncode=2
        )
    taken = {lesson.slug: lesson for lesson in catalogue.lessons()}
    if slug in taken:
        raise CommandError(
            f"There is a lesson {slug} already: {short(taken[slug].folder)}.", returncode=2
        )
    folder = _next_folder(slug)
    folder.mkdir()
    names = {"name": slug.title().replace("_", ""), "slug": slug}
    for file_name in catalogue.FILES:
        (folder / file_name).write_text(_FILES[file_name].format(**names), encoding="utf-8")
    literal(console, f"Made {short(folder)}. What it lacks: manage.py lesson verify {slug}")


def _next_folder(slug: str) -> Path:
    number = max((lesson.number for lesson in catalogue.lessons()), default=0) + 1
    return catalogue.COURSE_DIR / f"{number:02}_{slug}"
