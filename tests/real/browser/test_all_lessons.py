"""Each exercise in the page: red, its failing conversation, and green.

With ALL_LESSONS=1 these are all lessons, otherwise one of each kind.
"""

import os

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import find, lessons
from tests.support.lesson_page import write_in_page

SOME = ("http", "ticket")
LESSONS = lessons() if os.environ.get("ALL_LESSONS") else [find(slug) for slug in SOME]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_an_exercise_is_repaired_in_the_page(visit, workshop, lesson):
    exercise, path = workshop.exercise(lesson.slug), f"work/{lesson.folder.name}.py"
    student = visit(lesson.key).show("Do")
    page = student.page
    write_in_page(page, path, exercise.original + "\n# begun")
    page.keyboard.press("Control+s")
    state = page.locator("#verdict .state")
    expect(state).to_have_text("red")
    if lesson.exercise_base:  # in one lesson the student writes a test
        page.get_by_role("button", name="Show me").click()
        expect(page.locator("#saved-recording")).to_contain_text("Your exercise fails:")
    write_in_page(page, path, exercise.solved)
    page.keyboard.press("Control+s")
    expect(state).to_have_text("green")
    # Nothing stale is left: the passing conversation plays.
    expect(page.locator(".all-green")).to_be_visible()
    if lesson.exercise_base:
        passes = "Your exercise passes where it failed:"
        expect(page.locator("#saved-title")).to_have_text(passes)
    assert exercise.file.read_text(encoding="utf-8") == exercise.solved
