"""README.md and the guides: each number in a sentence is the number in the code or the course."""

import inspect
import re
import tomllib
from importlib import import_module

import pytest
from django.conf import settings

from lessons.workshop.authoring import verify
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.plans import plans
from lessons.workshop.engine.model import conversations, expected
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.process import output
from lessons.workshop.engine.script import player
from lessons.workshop.grading import judging, sandbox, submissions
from lessons.workshop.management.commands import room
from lessons.workshop.room import models

ROOT = settings.BASE_DIR
KIB, MIB, GIB = 1024, 1024**2, 1024**3
WORDS = {"one": 1, "two": 2, "three": 3, "four": 4}
MINUTES = [lesson.minutes for lesson in lessons()]
PYTHON = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
ADDING, GRADING, ROOM = (f"lessons/guides/{it}.md" for it in ("adding-a-lesson", "grading", "room"))


@pytest.mark.parametrize(
    ("file", "sentence", "numbers"),
    [
        ("README.md", "You need Python # or newer", [PYTHON.removeprefix(">=")]),
        ("README.md", "a page with # lessons", [len(lessons())]),
        ("lessons/README.md", "A lesson takes # to # minutes", [min(MINUTES), max(MINUTES)]),
        (ADDING, "in at most # words. A student who", [verify.MAX_WORDS_OF_TASK]),
        (ADDING, "The solution adds at most # lines", [verify.MAX_NEW_LINES]),
        (ADDING, "Write at most # words, as one who explains", [verify.MAX_WORDS]),
        (ADDING, "with at most # bites", [verify.MAX_BITES]),
        (ADDING, "at most # words, in five sections", [verify.MAX_WORDS_OF_TEACH_PAGE]),
        (ADDING, "Ask # to # questions", [verify.MIN_PREDICTIONS, verify.MAX_PREDICTIONS]),
        (ADDING, "interference, # frames", [Model.session]),
        (ADDING, "client, # clients one after another", [conversations.VISITS]),
        (ADDING, "a crowd of # clients", [Model.crowd]),
        (GRADING, "It has # GiB of memory", [sandbox.SUBMISSION.memory // GIB]),
        (GRADING, "# MiB for files", [sandbox.MEMORY_FOR_FILES // MIB]),
        (GRADING, "and # seconds in all", [judging.TOTAL_TIME]),
        (GRADING, "the first # characters", [output.MAX_OUTPUT]),
        (GRADING, "A file larger than # MiB", [submissions.MAX_SUBMISSION // MIB]),
        (GRADING, "each wait of at most # milliseconds", [player.MOMENT * 1000]),
        (ROOM, "not used for # days", [models.KEPT_FOR.days]),
        (ROOM, "The port is #, or", [room.Command.options["--port"]["default"]]),
    ],
)
def test_a_number_in_a_guide_is_the_number_in_the_code(file, sentence, numbers):
    pattern = re.escape(sentence).replace(r"\#", r"([\d.,]+|one|two|three|four)")
    written = re.search(pattern, " ".join((ROOT / file).read_text("utf-8").split())).groups()
    assert [float(WORDS.get(it, it.replace(",", ""))) for it in written] == [*map(float, numbers)]


def test_a_tenth_of_a_second_is_right_where_a_docstring_names_seconds():
    assert "a tenth of a second early or late is right" in (ROOT / GRADING).read_text("utf-8")
    assert expected.TIME_TOLERANCE == 0.1


def test_the_pages_of_a_lesson_have_the_size_that_the_guide_asks_for():
    for lesson in lessons():
        assert len(read_mistakes(lesson)) >= 4, lesson.slug
        assert 2 <= len(re.findall(r"^- `\w+`", lesson.teach_page.read_text("utf-8"), re.M)) <= 4
        for drawing in lesson.folder.glob("*.svg"):
            assert drawing.stat().st_size <= 12 * KIB, drawing.name
        if lesson.tests.parent.name.endswith("_demo"):
            assert len(lesson.tests.read_text("utf-8").splitlines()) <= 120, lesson.slug


def test_most_worked_examples_have_at_most_40_lines():
    places = [lesson.demo.rpartition(".") for lesson in lessons()]
    classes_shown = [getattr(import_module(module), name) for module, _, name in places]
    lengths = [len(inspect.getsource(it).splitlines()) for it in classes_shown]
    assert sum(length <= 40 for length in lengths) >= 0.9 * len(lengths)


def test_the_teaching_guide_counts_the_plans():
    text = (ROOT / "lessons/guides/teaching.md").read_text("utf-8")
    listed = re.search(r"`/teach/` has plans for (.+?)\.", text)[1]
    assert [it.lower() for it in re.split(", | and ", listed)] == [
        plan.title.lower().replace(", an hour each", "") for plan in plans()
    ]
