"""The exercise on an open page: verdicts after a save, hints, and a reset."""

import threading
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import expect

from lessons.bench.processes import project_copy
from tests.browser.conftest import READY, TEST_TIMEOUT, LessonPage
from tests.support.axe import violations

KEY = "03-stop"
TYPED = "/ws/sync/stop/?typed"


class Workshop:
    """`manage.py workshop` in a copy of the project."""

    def __init__(self, project, process):
        self.folder, self.process = project.folder, process
        self.exercise = self.folder / "work" / "03_stop.py"
        lesson = self.folder / "lessons" / "course" / "03_stop"
        self.original = (lesson / "exercise.py").read_text()
        self.solved = (lesson / "solution.py").read_text()
        self.ready = threading.Semaphore(0)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.await_ready()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith(READY):
                self.address = line.removeprefix(READY).strip().rstrip("/")
                self.ready.release()

    def await_ready(self):
        assert self.ready.acquire(timeout=3 * TEST_TIMEOUT), "the workshop is not ready"

    def change_the_demo(self):
        """Insert an empty line before the lesson's worked example."""
        consumers = self.folder / "sync_demo" / "consumers.py"
        consumers.write_text(consumers.read_text().replace("class Operator(", "\nclass Operator("))

    def save(self, text):
        new = self.exercise.with_name("exercise.py~")
        new.write_text(text)
        new.rename(self.exercise)


@contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        process.wait(TEST_TIMEOUT)
        process.stdout.close()


@pytest.fixture(scope="module")
def workshop(chromium):
    with project_copy() as project:
        project.environment["PYTHONUNBUFFERED"] = "1"
        with ended(project.start("manage.py", "workshop", "--port", "0")) as process:
            yield Workshop(project, process)


@pytest.fixture(scope="module")
def window(browser, workshop):
    with browser.new_context() as context:
        yield LessonPage(context.new_page(), workshop.address)


@pytest.fixture
def lesson(window, workshop):
    """The page of a lesson that the student has not begun. Its console must have no errors."""
    window.errors.clear()
    workshop.save(workshop.original)
    (workshop.folder / ".workshop" / "progress.json").unlink(missing_ok=True)
    yield window.open(KEY).show("Do")
    assert (window.errors, window.foreign_requests) == ([], [])


def expect_state(lesson, words):
    expect(lesson.page.locator("#verdict .state")).to_have_text(words)


def test_a_save_shows_the_diagnosis_and_the_next_save_the_ticks(lesson, workshop):
    lesson.fill("Path and query", TYPED)
    workshop.save(workshop.solved.replace("4000", "4001"))
    expect_state(lesson, "red")
    finding = lesson.page.locator(".finding")
    expect(finding.get_by_role("heading")).to_have_text(
        "The connection was closed with another code"
    )
    expect(finding.locator("pre").first).to_contain_text("≠")
    expect(lesson.page.locator("#announcement")).to_have_text(
        "red: The connection was closed with another code"
    )
    workshop.save(workshop.solved)
    expect(lesson.page.locator("#announcement")).to_have_text("green")
    assert set(
        lesson.page.locator(".outcomes li").evaluate_all("all => all.map(e => e.dataset.state)")
    ) == {"green"}
    expect(lesson.page.get_by_role("link", name="Continue with lesson 4")).to_be_visible()
    assert violations(lesson.page) == []
    expect(lesson.page.locator(":focus")).to_have_value(TYPED)


def test_plays_the_exercise_and_connects_again_after_a_save(lesson, workshop):
    state = lesson.page.locator("#played-state")
    lesson.page.get_by_label("Playing:").select_option("exercise")
    expect(state).to_have_text("Ready.")
    lesson.connect()
    workshop.save("def x(:")
    expect(lesson.page.locator("#played-finding summary")).to_contain_text(
        "The file is not valid Python (03_stop.py, line 1)"
    )
    lesson.expect_status("Lost: the browser reports 1006.")
    workshop.save(workshop.solved)
    expect(state).to_have_text("Restarted after your save.")
    lesson.expect_status("Open.")
    expect(lesson.page.locator("#source")).to_contain_text("4000")
    lesson.send("hello")
    lesson.expect_highlighted("websocket_receive")


def test_shows_hints_one_by_one_and_keeps_the_focus(lesson):
    for name in ("Show a hint", "Next hint"):
        lesson.page.get_by_role("button", name=name).focus()
        lesson.page.keyboard.press("Enter")
    expect(lesson.page.locator(".hint h3")).to_have_text(["Hint 1 of 3", "Hint 2 of 3"])
    expect(lesson.page.locator("#announcement")).to_contain_text("Hint 2 of 3")
    expect(lesson.page.locator(":focus")).to_have_accessible_name("Next hint")


def test_a_hint_reaches_the_lessons_other_pages_and_a_verdict_the_list(lesson, workshop):
    context = lesson.page.context
    with context.new_page() as other, context.new_page() as lessons:
        other.goto(lesson.page.url)
        lessons.goto(workshop.address)
        lesson.page.get_by_role("button", name="Show a hint").click()
        expect(other.locator(".hint h3")).to_have_text("Hint 1 of 3")
        workshop.save(workshop.solved)
        row = lessons.locator("li").filter(has=lessons.locator(f'a[href="/lessons/{KEY}/"]'))
        expect(row.locator(".state")).to_have_text("green")


PASTE = """(box, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const options = { clipboardData, bubbles: true, cancelable: true };
  box.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def editor(lesson):
    """The editor's text, once it is loaded."""
    lesson.page.locator("#editor").evaluate("editor => editor.scrollIntoView()")
    return lesson.page.get_by_role("textbox", name="The file work/03_stop.py")


def write(lesson, text):
    """Replace the editor's text by a paste."""
    editor(lesson).click()
    lesson.page.keyboard.press("Control+a")
    editor(lesson).evaluate(PASTE, text)


def test_the_exercise_is_solved_in_the_page(lesson, workshop):
    write(lesson, workshop.original + "# begun")
    lesson.page.keyboard.press("Control+s")
    expect_state(lesson, "red")
    mark = lesson.page.locator("#editor .cm-finding-gutter [role=img]")
    expect(mark).to_have_attribute("title", "Nothing handles websocket.disconnect")
    write(lesson, workshop.solved)
    lesson.page.keyboard.press("Control+s")
    expect_state(lesson, "green")
    expect(mark).to_have_count(0)
    assert workshop.exercise.read_text() == workshop.solved
    assert violations(lesson.page) == []


def test_a_text_that_is_not_saved_is_never_lost(lesson, workshop):
    write(lesson, "# mine")
    workshop.save("# theirs")
    lesson.page.get_by_role("button", name="Save mine, keep the other as a backup").click()
    expect(lesson.page.locator("#editor").get_by_role("status")).to_have_text("Saved")
    assert workshop.exercise.read_text() == "# mine"
    (backup,) = [
        file for file in workshop.exercise.parent.glob("03_stop.2*") if "theirs" in file.read_text()
    ]
    backup.unlink()


def test_a_text_that_was_not_changed_follows_the_file(lesson, workshop):
    expect(editor(lesson)).to_contain_text("class Guess")
    workshop.save("# theirs")
    expect(editor(lesson)).to_have_text("# theirs")


def test_a_draft_survives_a_reload_of_the_page(lesson, workshop):
    write(lesson, "# a draft")
    lesson.page.on("dialog", lambda dialog: dialog.accept())
    lesson.page.reload()
    expect(editor(lesson)).to_have_text("# a draft")
    assert workshop.exercise.read_text() == workshop.original
    write(lesson, workshop.original)


def test_the_keyboard_leaves_the_editor(lesson):
    editor(lesson).focus()
    lesson.page.keyboard.press("c")  # types: here it is not a shortcut
    for key in ("Control+z", "Escape", "Tab"):
        lesson.page.keyboard.press(key)
    expect(lesson.page.locator("#editor").locator(":focus")).to_have_count(0)
    expect(editor(lesson)).to_contain_text("class Guess")


def test_shows_the_failing_conversation_on_the_students_code(lesson, workshop):
    workshop.save(workshop.solved.replace("4000", "4001"))
    expect_state(lesson, "red")
    lesson.page.get_by_role("button", name="Show me").first.click()
    bar = lesson.page.locator("#saved-recording")
    expect(bar).to_contain_text("The connection was closed with another code")
    expect(bar.locator(".side")).to_have_text(
        ["Expected websocket.close code: 4000", "Received websocket.close code: 4001"]
    )
    expect(lesson.page.locator("#details")).to_contain_text('"code": 4001')
    lesson.show_tab("State")
    expect(lesson.page.locator("#tab-state")).to_contain_text("remembers")
    assert violations(lesson.page) == []
    lesson.page.get_by_role("button", name="Back to live").click()
    expect(bar).to_be_hidden()


def test_a_reset_asks_first_and_keeps_the_students_version(lesson, workshop):
    workshop.save("# mine")
    expect(lesson.page.locator(".finding h3")).to_contain_text("is not there")
    lesson.page.get_by_text("Start again").click()
    lesson.press("Restore the original")
    expect_state(lesson, "not started")
    backup = lesson.page.locator("code", has_text="work/03_stop.2").text_content()
    assert (workshop.folder / backup).read_text() == "# mine"
    assert workshop.exercise.read_text() == workshop.original


def test_without_javascript_forms_do_the_same(browser, workshop, lesson):
    with browser.new_context(java_script_enabled=False) as context:
        page = LessonPage(context.new_page(), workshop.address).open(KEY).page
        page.get_by_role("button", name="Show a hint").click()
        expect(page.locator(".hint h3")).to_have_text("Hint 1 of 3")
        assert page.url.endswith(f"/lessons/{KEY}/#exercise")


def change_until_closed(lesson, workshop):
    """Change the file until the reloader notices: it misses changes before its second look."""
    status = lesson.status()
    for patience in (1.5, 3, 6, 12, 24):
        workshop.change_the_demo()
        with suppress(AssertionError):
            expect(status).to_contain_text("Closed with 1006.", timeout=patience * 1000)
            return
    raise AssertionError("the server did not restart")


def test_the_page_survives_a_restart_of_the_server(lesson, workshop):
    lesson.connect(TYPED)
    lesson.page.evaluate("window.here = true")
    change_until_closed(lesson, workshop)
    workshop.save(workshop.solved)  # the judge goes on during the restart
    workshop.await_ready()
    expect(
        lesson.page.get_by_text("This code has changed since the page was loaded.")
    ).to_be_visible()
    expect_state(lesson, "green")
    lesson.connect()
    lesson.expect_browser_log("open", "close code 1006, not clean", "open")
    expect(lesson.client().get_by_label("Path and query")).to_have_value(TYPED)
    assert lesson.page.evaluate("window.here")
    assert all("net::ERR_CONNECTION_" in error for error in lesson.errors)
    lesson.errors.clear()
