"""A lesson shows the figures of this machine, or says how to measure them."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.lesson_text import expanded_text


@pytest.fixture
def folder(settings, tmp_path):
    settings.STATE_DIR = tmp_path
    (tmp_path / "bench").mkdir()
    return tmp_path / "bench"


@pytest.mark.parametrize("slug, name", [("cost", "event"), ("delivery", "group_send")])
def test_a_lesson_names_the_command_and_then_shows_its_table(folder, slug, name):
    assert f"`python3 manage.py bench {name}`" in expanded_text(find(slug))
    (folder / f"{name}.txt").write_text("bare 1.00\n", encoding="utf-8")
    assert f"```text bench: {name}\nbare 1.00\n```" in expanded_text(find(slug))
