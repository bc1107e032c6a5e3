"""The exercise on an open page: verdicts after a save, the editor, hints, and a reset."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations
from tests.support.lesson_page import write_in_page

FILE = "work/03_stop.py"


@pytest.fixture
def lesson(visit, exercise):
    """The page of a lesson that the student has not begun."""
    return visit("03-stop").show("Do")


def expect_state(lesson, words):
    expect(lesson.page.locator("#verdict .state")).to_have_text(words)


def test_a_save_shows_the_diagnosis_and_the_next_save_plays_what_passes(lesson, exercise):
    page = lesson.page
    exercise.save(exercise.solved.replace("4000", "4001"))
    expect(page.locator(".finding").get_by_role("heading")).to_contain_text(
        "The connection was closed with another code"
    )
    announcement = page.locator("#announcement")
    expect(announcement).to_have_text("red: The connection was closed with another code")
    page.get_by_role("button", name="Show me").click()
    expect(page.locator("#parting")).to_contain_text("code: 4000")
    exercise.save(exercise.solved)
    expect(announcement).to_have_text("green")
    states = page.locator(".outcomes li").evaluate_all("all => all.map(e => e.dataset.state)")
    assert set(states) == {"green"}
    expect(page.locator("#saved-title")).to_have_text("Your exercise passes where it failed:")
    expect(page.locator("#playback .count")).to_have_text(re.compile(r"[3-9] of \d+|\d+ events"))
    expect(page.get_by_role("link", name="Next lesson: 4")).to_be_visible()
    assert violations(page) == []


def test_do_plays_the_exercise_and_plays_it_again_when_it_is_saved(lesson, exercise):
    page, title = lesson.page, lesson.page.locator("#played-finding summary")
    lesson.connect()
    lesson.send("7")
    lesson.expect_drawn('send "Right."')
    exercise.save(exercise.original.replace("Right.", "Yes!"))
    lesson.expect_drawn('send "Yes!"')
    lesson.expect_drawn('send "Right."', count=0)
    exercise.save(exercise.solved.replace('event.get("text")', "1 / 0"))
    expect(title).to_have_text("✗ The code raised an exception")
    lesson.expect_status("Closed: the browser reports 1011.")
    lesson.expect_drawn("ZeroDivisionError")
    title.click()
    page.locator("#played-finding").get_by_role("link", name="line").click()
    expect(page.get_by_role("textbox", name=f"The file {FILE}")).to_be_focused()
    exercise.save("def x(:")
    expect(title).to_have_text("✗ The file is not valid Python")
    lesson.expect_status("Nothing was recorded: the finding says why.")
    exercise.save(exercise.solved)
    expect(page.locator("#played-finding")).to_have_count(0)
    page.get_by_text("What happens next").click()
    lesson.press("Start over")
    lesson.expect_status("Not connected.")
    expect(page.locator("#diagram .row")).to_have_count(0)


def test_a_second_of_a_stopwatch_passes_when_the_student_says_so(visit, workshop):
    workshop.exercise("push").save(workshop.exercise("push").solved)
    lesson = visit("07-push").show("Do")
    lesson.connect()
    lesson.page.get_by_text("What happens next").click()
    for choice, last in (("1 s later", "1"), ("1 s later", "2"), ("10 s later", "12")):
        lesson.press(choice)
        lesson.expect_drawn(f'send "{last}"')
    lesson.expect_drawn("10 s later")
    workshop.exercise("push").save(workshop.exercise("push").original)


def test_two_clients_of_the_exercise_share_a_group(visit, workshop):
    lesson = visit("12-group").show("Do")
    lesson.connect()
    lesson.connect(client=2)
    lesson.send("hello", client=2)
    lesson.expect_drawn('send "someone: hello"', count=2)
    lesson.fill("Close code", "5", client=2)
    lesson.press("Close", client=2)
    lesson.expect_status("A browser may send no code, 1000, or a code from 3000 to 4999.", client=2)
    lesson.fill("Close code", "4001", client=2)
    lesson.press("Close", client=2)
    lesson.expect_status("Closed: the browser reports 1000.", client=2)
    lesson.expect_status("Open.")


def test_hints_reach_all_pages_and_a_reset_keeps_the_students_version(lesson, exercise):
    page = lesson.page
    with page.context.new_page() as other:
        other.goto(page.url)
        page.keyboard.press("h")
        page.get_by_text("Help", exact=True).press("Enter")
        page.get_by_role("button", name="Next hint").press("Enter")
        for one in (page, other):
            expect(one.locator(".hint h3")).to_have_text(["Hint 1 of 3", "Hint 2 of 3"])
    expect(page.locator(":focus")).to_have_accessible_name("Next hint")
    exercise.save("# mine")
    expect(page.locator(".finding h3")).to_contain_text("is not there")
    page.get_by_text("Start again").click()
    lesson.press("Restore the original")
    expect_state(lesson, "not started")
    expect(page.locator("code", has_text="work/03_stop.2")).to_be_visible()


def test_an_unsaved_text_survives_a_reload_and_a_save_of_another_editor(lesson, exercise):
    page = lesson.page
    write_in_page(page, FILE, "# mine")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("textbox", name=f"The file {FILE}")).to_have_text("# mine")
    assert exercise.file.read_text() == exercise.original
    exercise.save("# theirs")
    page.get_by_role("button", name="Save mine, keep the other as a backup").click()
    expect(page.locator("#editor").get_by_role("status")).to_have_text("Saved")
    assert exercise.file.read_text() == "# mine"


def test_a_second_save_waits_for_the_first_and_does_not_conflict(lesson, exercise):
    page, held, statuses = lesson.page, [], []
    file = "**/lessons/03-stop/file/"
    write_in_page(page, FILE, "# first")
    page.route(file, lambda route: held.append(route), times=1)
    with page.expect_request(file):
        page.keyboard.press("Control+s")
    write_in_page(page, FILE, "# second")
    page.keyboard.press("Control+s")
    page.once("response", lambda response: statuses.append(response.status))
    [first] = held
    with page.expect_response(file):
        first.continue_()
    expect(page.locator("#editor").get_by_role("status")).to_have_text("Saved")
    assert exercise.file.read_text() == "# second"
    assert statuses == [200]
    expect_state(lesson, "red")


def test_the_page_survives_a_restart_of_the_server(lesson, workshop):
    lesson.show("See").connect("/ws/sync/stop/?typed")
    lesson.page.evaluate("window.here = true")
    workshop.stop()
    expect(lesson.status()).to_contain_text("Closed with 1006")
    offline = lesson.page.locator("#offline")
    expect(offline).to_contain_text("The workshop does not answer. Start it again:")
    consumers = workshop.folder / "sync_demo" / "consumers.py"
    consumers.write_text(consumers.read_text().replace("class Operator(", "\nclass Operator("))
    workshop.start_again("--no-reload", "--port", workshop.address.rpartition(":")[2])
    changed = lesson.page.get_by_text("This code has changed since the page was loaded.")
    expect(changed).to_be_visible()
    expect(offline).to_be_hidden()
    lesson.connect()
    expect(lesson.field("Path and query")).to_have_count(0)
    assert lesson.page.evaluate("window.here")
    assert all("net::ERR_CONNECTION_" in error for error in lesson.errors)
    lesson.errors.clear()
