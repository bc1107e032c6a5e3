"""The switch of a lesson's page: its clients connect to the solution or a mistake, in Chromium."""

import json
import re

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.setup import atomic_write
from tests.support.axe import violations

# The subprotocol and the text of a client, and lines of the browser's log that follow.
CONVERSATIONS = {
    "01-accept": ("weather.celsius", "?", ["open subprotocol: weather.celsius"]),
    "12-group": ("", "hello", ['1 message "someone came"']),
    "15-worker": ("", "2026-11-21", ['message "asked"', 'message "2026-11-21: Saturday"']),
    "20-orm": ("", "nothing", ['message "no such group"']),
}


@pytest.fixture(scope="module")
def green(state_dir):
    """A student whose exercises were green."""
    file = state_dir / "progress.json"
    before = file.read_bytes() if file.exists() else None
    known = {"state": "green", "was_green": True, "hints": 0, "verdict": None, "version": 1}
    green = json.dumps({lesson.key: known for lesson in lessons()})
    atomic_write.write(file, green.encode())  # the judge looks at this file all the time
    yield
    file.unlink() if before is None else atomic_write.write(file, before)


def play(page, target):
    page.page.get_by_label("Playing:").select_option(target)
    expect(page.page.locator("#played-state")).to_have_text("Ready.")


def log_lines(page, text):
    return page.page.locator("#browser-log li").filter(has_text=text)


@pytest.mark.parametrize("key", CONVERSATIONS)
def test_plays_the_solution(visit, green, key):
    subprotocol, payload, answers = CONVERSATIONS[key]
    page = visit(key)
    play(page, "solution")
    page.connect(subprotocols=subprotocol)
    page.send(payload)
    expect(page.page.locator(".line.highlighted")).not_to_have_count(0)
    for answer in answers:
        expect(log_lines(page, answer)).to_have_count(1)
    page.press("Close")
    expect(page.page.locator("#events tr").filter(has_text="finished")).not_to_have_count(0)
    expect(page.page.locator("#source-title")).to_contain_text("solution.py")


def test_says_why_it_does_not_play_a_target(visit):
    page = visit("03-stop")
    option = page.page.locator("#target [value=exercise]")
    option.evaluate("option => { option.value = 'mistake:Deleted'; }")
    page.page.get_by_label("Playing:").select_option("mistake:Deleted")
    reason = "Lesson 3 has no 'mistake:Deleted' to play."
    expect(page.page.locator("#played-state")).to_have_text(reason)
    expect(page.page.locator("#source-title")).to_have_text(reason)
    page.errors.clear()  # of the request for the source


def test_plays_a_streaming_response(visit, green):
    page = visit("08-http")
    play(page, "solution")
    page.choose("Method", "POST")
    page.fill("Body of a POST", "1")
    page.press("Send")
    page.expect_status("HTTP 200, complete.")
    expect(log_lines(page, "data: 0")).to_have_count(1)


def test_a_ticket_from_outside_opens_the_door_once(visit, green):
    page = visit("18-ticket")
    play(page, "solution")
    page.choose("User", "student")
    page.connect()
    expect(log_lines(page, 'message "Welcome, student."')).to_have_count(1)
    page.press("Close")
    page.connect(state="refused")
    page.expect_status("Rejected with HTTP 403. The browser reports 1006.")
    page.errors.clear()
    page.press("Take this step")
    expect(page.page.locator("#outside-result")).to_have_text("Done.")
    page.connect()


def test_a_function_that_another_process_calls_reaches_the_clients(visit, green):
    page = visit("26-outside")
    play(page, "solution")
    page.connect()
    expect(log_lines(page, 'message "0 %"')).to_have_count(1)
    page.press("Take this step")
    expect(page.page.locator("#outside-result")).to_have_text("Done: True")
    expect(log_lines(page, 'message "40 %"')).to_have_count(1)


def test_a_row_that_is_saved_outside_reaches_the_clients(visit, green):
    page = visit("21-liveblog")
    play(page, "solution")
    page.connect()
    page.press("Take this step")
    expect(log_lines(page, "Rain")).to_have_count(1)


def test_another_target_disconnects_the_clients_and_clears_the_diagram(visit, green):
    page = visit("03-stop")
    page.connect()
    play(page, "solution")
    page.expect_status("Not connected.")
    expect(page.page.locator("#events tr")).to_have_count(0)
    page.connect()
    page.page.get_by_label("Playing:").select_option("example")
    page.expect_status("Not connected.")
    expect(page.page.locator("#source-title")).to_contain_text("sync_demo/consumers.py")
    page.connect()


def test_late_events_of_the_target_before_are_not_shown(visit, green):
    page = visit("03-stop", reduced_motion="reduce")
    feeds, held = [], []

    def hold(socket):
        feeds.append(socket)
        socket.connect_to_server().on_message(take)

    def take(text):
        is_late = held is not None and "events" in json.loads(text)
        held.append(text) if is_late else feeds[0].send(text)

    page.page.route_web_socket(re.compile(r"/ws/feed/[^/]+\.[^/]+/$"), hold)
    page.page.reload()
    page.connect()
    play(page, "solution")
    late, held = held, None
    for text in late:
        feeds[0].send(text)
    page.connect()
    page.send("7")
    rows = page.page.locator("#events tr")
    expect(rows.filter(has_text="websocket.receive")).to_have_count(1)
    expect(rows.filter(has_text="scope")).to_have_count(1)


def test_a_mistake_is_explained_when_it_raises(visit, green):
    page = visit("12-group")
    play(page, "mistake:ForgetsTheLength")
    page.connect(path=f"/ws/layers/group/{'x' * 120}/", state="refused")
    expect(page.page.locator("#played-finding summary")).to_contain_text("mistakes.py, line")
    page.page.locator("#played-finding summary").click()
    assert violations(page.page) == []
    page.errors.clear()


def test_a_lesson_whose_exercise_is_a_test_has_no_switch(visit):
    expect(visit("04-communicator").page.locator("#target")).to_have_count(0)
