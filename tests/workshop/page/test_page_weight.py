"""The size of a lesson's page: all that a browser loads on a first visit."""

import gzip
from functools import cache
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from lessons.workshop.course.lesson_index import lessons
from tests.support.page_weight import page_weight

MAX_BYTES = 94_000  # as the workshop sends them: compressed


@cache
def static(path):
    return Path(finders.find(path.removeprefix("/static/"))).read_bytes()


@cache
def compressed_size(content):
    return len(gzip.compress(content))


def write_figures(folder):
    """Write figures of the usual size, which the lessons show."""
    folder.mkdir()
    for name in ("event", "group_send"):
        (folder / f"{name}.txt").write_text("x" * 800)


@pytest.mark.django_db
@pytest.mark.parametrize("key", [lesson.key for lesson in lessons()])
def test_a_lesson_loads_less_than_94_kb_in_all(settings, state_dir, key):
    settings.STATE_DIR = state_dir
    write_figures(state_dir / "bench")

    @cache
    def get(path):
        return static(path) if path.startswith("/static/") else Client().get(path).content

    names = page_weight(get, f"/lessons/{key}/")
    sizes = {name: compressed_size(get(name)) for name in names}
    assert {"/static/lessons/lesson/page.js", "/static/lessons/common/page.css"} < set(sizes)
    assert sum(sizes.values()) < MAX_BYTES, sorted(sizes.items(), key=lambda one: -one[1])
