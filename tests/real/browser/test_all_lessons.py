"""Each exercise in the page: red, its failing conversation, and green; then five in Firefox.

With ALL_LESSONS=1 these are all lessons, otherwise one of each kind.
"""

import os

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import LessonPage

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.setup.external_programs import FIREFOX
from tests.support.firefox import firefox
from tests.support.workshop_copy import TIMEOUT, workshop_copy, write_in_page

SOME = ("frames", "http", "ticket")
LESSONS = lessons() if os.environ.get("ALL_LESSONS") else [find(slug) for slug in SOME]
IN_FIREFOX = ("accept", "blocking", "group", "logout", "chat")
# WebDriver BiDi has no paste, so the text is replaced in CodeMirror itself.
REPLACE = """async (text) => {
  const { EditorView } = await import("/static/lessons/vendor/codemirror.js");
  const { shadowRoot } = document.querySelector(".code-area");
  const view = EditorView.findFromDOM(shadowRoot.querySelector(".cm-content"));
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  document.querySelector(".editor-bar button").click();
}"""


@pytest.fixture(scope="module")
def workshop(chromium):
    with workshop_copy("--no-reload") as workshop:  # so it takes its port when it listens
        yield workshop


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_an_exercise_is_repaired_in_the_page(browser, workshop, lesson):
    exercise, path = workshop.exercise(lesson.slug), f"work/{lesson.folder.name}.py"
    with browser.new_context(reduced_motion="reduce") as context:
        student = LessonPage(context.new_page(), workshop.address).open(lesson.key).show("Do")
        page = student.page
        write_in_page(page, path, exercise.original + "\n# begun")
        page.keyboard.press("Control+s")
        state = page.locator("#verdict .state")
        expect(state).to_have_text("red")
        expect(page.locator(".judging")).to_be_hidden()
        if lesson.exercise_base:  # in one lesson the student writes a test
            page.get_by_role("button", name="Show me").first.click()
            expect(page.locator("#saved-recording")).to_contain_text("Your exercise, failing")
        student.show("Do")
        write_in_page(page, path, exercise.solved)
        page.keyboard.press("Control+s")
        expect(state).to_have_text("green")
        assert exercise.file.read_text(encoding="utf-8") == exercise.solved
        assert (student.errors, student.foreign_requests) == ([], [])


@pytest.mark.skipif(not FIREFOX.find(), reason=FIREFOX.missing())
@pytest.mark.parametrize("slug", IN_FIREFOX)
def test_an_exercise_is_repaired_in_firefox(workshop, slug, tmp_path):
    exercise = workshop.exercise(slug)
    with firefox(FIREFOX.find(), tmp_path, TIMEOUT) as browser:
        browser.open(f"{workshop.address}/lessons/{find(slug).key}/#do")

        browser.call("() => document.querySelector('#editor').scrollIntoView()")
        browser.wait_for(".editor-bar")
        browser.call(REPLACE, exercise.original + "\n# begun")
        browser.wait_for("#verdict .state", "red")
        browser.wait_for(".show-me")
        browser.call("() => document.querySelector('.show-me').click()")
        browser.wait_for("#saved-recording", "Your exercise, failing")
        browser.call(REPLACE, exercise.solved)
        browser.wait_for("#verdict .state", "green")
        assert browser.errors == []
