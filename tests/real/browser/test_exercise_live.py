"""The exercise on an open page: verdicts after a save, hints, and a reset."""

from contextlib import suppress

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import LessonPage

from tests.support.axe import violations
from tests.support.exercise_files import KILLS_THE_JUDGE
from tests.support.workshop_copy import workshop_copy, write_in_page

KEY = "03-stop"
TYPED = "/ws/sync/stop/?typed"


@pytest.fixture(scope="module")
def workshop(chromium):
    with workshop_copy() as workshop:
        yield workshop


@pytest.fixture(scope="module")
def exercise(workshop):
    """The student's file of the lesson."""
    return workshop.exercise("stop")


@pytest.fixture(scope="module")
def window(browser, workshop):
    with browser.new_context() as context:
        yield LessonPage(context.new_page(), workshop.address)


@pytest.fixture
def lesson(window, workshop, exercise):
    """The page of a lesson that the student has not begun. Its console must have no errors."""
    window.errors.clear()
    # The progress first: a judge that still knows a verdict would judge the original, too.
    (workshop.folder / ".workshop" / "progress.json").unlink(missing_ok=True)
    exercise.save(exercise.original)
    yield window.open(KEY).show("Do")
    assert (window.errors, window.foreign_requests) == ([], [])


def expect_state(lesson, words):
    expect(lesson.page.locator("#verdict .state")).to_have_text(words)


def test_a_save_shows_the_diagnosis_and_the_next_save_the_ticks(lesson, exercise):
    lesson.fill("Path and query", TYPED)
    exercise.save(exercise.solved.replace("4000", "4001"))
    expect_state(lesson, "red")
    finding = lesson.page.locator(".finding")
    expect(finding.get_by_role("heading")).to_have_text(
        "The connection was closed with another code"
    )
    expect(finding.locator("pre").first).to_contain_text("≠")
    expect(lesson.page.locator("#announcement")).to_have_text(
        "red: The connection was closed with another code"
    )
    exercise.save(exercise.solved)
    expect(lesson.page.locator("#announcement")).to_have_text("green")
    assert set(
        lesson.page.locator(".outcomes li").evaluate_all("all => all.map(e => e.dataset.state)")
    ) == {"green"}
    expect(lesson.page.get_by_role("link", name="Continue with lesson 4")).to_be_visible()
    assert violations(lesson.page) == []
    expect(lesson.page.locator(":focus")).to_have_value(TYPED)


def test_a_judge_that_an_exercise_has_ended_is_replaced(lesson, exercise):
    exercise.save(KILLS_THE_JUDGE + exercise.solved)
    restarting = lesson.page.locator("#judge-restarting")
    expect(restarting).to_be_visible()
    expect(lesson.page.locator(".finding").get_by_role("heading")).to_have_text(
        "Your code ended the judge's process"
    )
    expect(restarting).to_be_hidden()
    expect_state(lesson, "red")
    exercise.save(exercise.solved)
    expect_state(lesson, "green")


def test_plays_the_exercise_and_connects_again_after_a_save(lesson, exercise):
    state = lesson.page.locator("#played-state")
    lesson.page.get_by_label("Playing:").select_option("exercise")
    expect(state).to_have_text("Ready.")
    lesson.connect()
    exercise.save("def x(:")
    expect(lesson.page.locator("#played-finding summary")).to_contain_text(
        "The file is not valid Python (03_stop.py, line 1)"
    )
    lesson.expect_status("Lost: the browser reports 1006.")
    exercise.save(exercise.solved)
    expect(state).to_have_text("Restarted after your save.")
    lesson.expect_status("Open.")
    expect(lesson.page.locator("#source")).to_contain_text("4000")
    lesson.send("hello")
    lesson.expect_highlighted("websocket_receive")
    expect_state(lesson, "green")


def test_shows_hints_one_by_one_and_keeps_the_focus(lesson):
    for name in ("Show a hint", "Next hint"):
        lesson.page.get_by_role("button", name=name).focus()
        lesson.page.keyboard.press("Enter")
    expect(lesson.page.locator(".hint h3")).to_have_text(["Hint 1 of 3", "Hint 2 of 3"])
    expect(lesson.page.locator("#announcement")).to_contain_text("Hint 2 of 3")
    expect(lesson.page.locator(":focus")).to_have_accessible_name("Next hint")


def test_a_hint_reaches_the_lessons_other_pages_and_a_verdict_the_list(lesson, workshop, exercise):
    context = lesson.page.context
    with context.new_page() as other, context.new_page() as lessons:
        other.goto(lesson.page.url)
        lessons.goto(workshop.address)
        lesson.page.get_by_role("button", name="Show a hint").click()
        expect(other.locator(".hint h3")).to_have_text("Hint 1 of 3")
        exercise.save(exercise.solved)
        row = lessons.locator("li").filter(has=lessons.locator(f'a[href="/lessons/{KEY}/"]'))
        expect(row.locator(".state")).to_have_text("green")


def editor(lesson):
    """The editor's text, once it is loaded."""
    lesson.page.locator("#editor").evaluate("editor => editor.scrollIntoView()")
    return lesson.page.get_by_role("textbox", name="The file work/03_stop.py")


def write(lesson, text):
    write_in_page(lesson.page, "work/03_stop.py", text)


def test_the_exercise_is_solved_in_the_page(lesson, exercise):
    write(lesson, exercise.original + "# begun")
    lesson.page.keyboard.press("Control+s")
    expect_state(lesson, "red")
    mark = lesson.page.locator("#editor .cm-finding-gutter [role=img]")
    expect(mark).to_have_attribute("title", "Nothing handles websocket.disconnect")
    write(lesson, exercise.solved)
    lesson.page.keyboard.press("Control+s")
    expect_state(lesson, "green")
    expect(mark).to_have_count(0)
    assert exercise.file.read_text() == exercise.solved
    assert violations(lesson.page) == []


def test_a_text_that_is_not_saved_is_never_lost(lesson, exercise):
    write(lesson, "# mine")
    exercise.save("# theirs")
    lesson.page.get_by_role("button", name="Save mine, keep the other as a backup").click()
    expect(lesson.page.locator("#editor").get_by_role("status")).to_have_text("Saved")
    assert exercise.file.read_text() == "# mine"
    (backup,) = [
        file for file in exercise.file.parent.glob("03_stop.2*") if "theirs" in file.read_text()
    ]
    backup.unlink()


def test_a_second_save_waits_for_the_first_and_does_not_conflict(lesson, exercise):
    page, held, statuses = lesson.page, [], []
    file = "**/lessons/03-stop/file/"
    write(lesson, "# first")
    page.route(file, lambda route: held.append(route), times=1)
    with page.expect_request(file):
        page.keyboard.press("Control+s")
    write(lesson, "# second")
    page.keyboard.press("Control+s")
    page.on(
        "response", lambda response: statuses.append((response.request.method, response.status))
    )
    [first] = held
    first.continue_()
    expect(page.locator("#editor").get_by_role("status")).to_have_text("Saved")
    assert exercise.file.read_text() == "# second"
    assert [status for method, status in statuses if method == "POST"] == [200, 200]
    expect_state(lesson, "red")


def test_a_text_that_was_not_changed_follows_the_file(lesson, exercise):
    expect(editor(lesson)).to_contain_text("class Guess")
    exercise.save("# theirs")
    expect(editor(lesson)).to_have_text("# theirs")
    expect_state(lesson, "red")


def test_a_draft_survives_a_reload_of_the_page(lesson, exercise):
    write(lesson, "# a draft")
    lesson.page.on("dialog", lambda dialog: dialog.accept())
    lesson.page.reload()
    expect(editor(lesson)).to_have_text("# a draft")
    assert exercise.file.read_text() == exercise.original
    write(lesson, exercise.original)


def test_the_keyboard_leaves_the_editor(lesson):
    editor(lesson).focus()
    lesson.page.keyboard.press("c")  # types: here it is not a shortcut
    for key in ("Control+z", "Escape", "Tab"):
        lesson.page.keyboard.press(key)
    expect(lesson.page.locator("#editor").locator(":focus")).to_have_count(0)
    expect(editor(lesson)).to_contain_text("class Guess")


def test_shows_the_failing_conversation_on_the_students_code(lesson, exercise):
    exercise.save(exercise.solved.replace("4000", "4001"))
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


def test_a_reset_asks_first_and_keeps_the_students_version(lesson, workshop, exercise):
    exercise.save("# mine")
    expect(lesson.page.locator(".finding h3")).to_contain_text("is not there")
    lesson.page.get_by_text("Start again").click()
    lesson.press("Restore the original")
    expect_state(lesson, "not started")
    backup = lesson.page.locator("code", has_text="work/03_stop.2").text_content()
    assert (workshop.folder / backup).read_text() == "# mine"
    assert exercise.file.read_text() == exercise.original


def test_without_javascript_forms_do_the_same(browser, workshop, lesson):
    with browser.new_context(java_script_enabled=False) as context:
        page = LessonPage(context.new_page(), workshop.address).open(KEY).page
        page.get_by_role("button", name="Show a hint").click()
        expect(page.locator(".hint h3")).to_have_text("Hint 1 of 3")
        assert page.url.endswith(f"/lessons/{KEY}/#exercise")


def change_the_demo(workshop):
    """Insert an empty line before the lesson's worked example."""
    consumers = workshop.folder / "sync_demo" / "consumers.py"
    consumers.write_text(consumers.read_text().replace("class Operator(", "\nclass Operator("))


def change_until_closed(lesson, workshop):
    """Change the file until the reloader notices: it misses changes before its second look."""
    status = lesson.status()
    for patience in (1.5, 3, 6, 12, 24):
        change_the_demo(workshop)
        with suppress(AssertionError):
            # After two seconds without the server, the status says more than the code.
            expect(status).to_contain_text("Closed with 1006", timeout=patience * 1000)
            return
    raise AssertionError("the server did not restart")


def test_the_page_survives_a_restart_of_the_server(lesson, workshop, exercise):
    lesson.connect(TYPED)
    lesson.page.evaluate("window.here = true")
    change_until_closed(lesson, workshop)
    exercise.save(exercise.solved)  # the judge goes on during the restart
    workshop.await_ready()
    lesson.show_tab("Source")
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
