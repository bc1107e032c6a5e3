"""Lesson 8 in a real browser: an EventSource, and the page's own panel for a request."""

import pytest
from playwright.sync_api import expect

# Says what an EventSource tells a page: the first three events, or that it gave up.
LISTEN = """path => new Promise((resolve) => {
  const said = [];
  const source = new EventSource(path);
  const done = () => { source.close(); resolve(said); };
  source.onopen = () => said.push("open");
  source.onmessage = ({ data }) => { said.push(data); if (said.length === 3) done(); };
  source.onerror = () => { said.push("error"); done(); };
})"""


def events(page):
    """What the server recorded: column 4 of the log."""
    return page.page.locator("#events tr:not([data-lane=database]):not(.first) td:nth-child(4)")


def test_an_event_source_hears_each_beat_and_the_stream_ends_with_it(visit):
    page = visit("08-http")
    watched = page.page.locator("#panel").get_attribute("data-watched")
    page.fill("Body of a POST", "abc")
    page.press("Send")  # from here on the feed is open
    page.expect_status("HTTP 200, complete.")
    page.press("Clear")
    said = page.page.evaluate(LISTEN, f"{watched}/client=1/async/http/")
    assert said == ["open", "beat 1", "beat 2"]
    expect(events(page).last).to_have_text("· finished")
    expect(events(page).nth(-2)).to_have_text("→ http.disconnect")


def test_an_event_source_gives_up_what_is_no_stream_of_events(visit):
    page = visit("08-http")
    assert page.page.evaluate(LISTEN, "/lessons/08-http/") == ["error"]
    (error,) = page.errors
    wrong = 'EventSource\'s response has a MIME type ("text/html") that is not "text/event-stream"'
    assert wrong in error
    page.errors.clear()


def test_a_request_and_its_response_are_shown(visit):
    page = visit("08-http")
    page.press("Send")
    page.expect_status("HTTP 200, complete.")
    page.expect_browser_log("response 200 text/plain", 'part "11 bytes\\n"', "end")
    expect(events(page).last).to_have_text("· finished")
    page.expect_highlighted("http_disconnect")


def test_a_stream_is_shown_until_the_client_leaves(visit):
    page = visit("08-http")
    page.choose("Method", "GET")
    page.press("Send")
    expect(page.page.locator("#browser-log li").nth(1)).to_have_text('part "data: beat 1\\n\\n"')
    page.expect_status("HTTP 200, the body is arriving.")
    page.press("Leave")
    page.expect_status("You have left.")
    expect(events(page).nth(-2)).to_have_text("→ http.disconnect")
    page.press("Leave")
    page.expect_status("There is nothing to leave. Send a request first.")


@pytest.mark.parametrize("path", ["no/slash"])
def test_a_path_without_a_slash_is_said_to_be_one(visit, path):
    page = visit("08-http")
    page.fill("Path and query", path)
    page.press("Send")
    page.expect_status("A path begins with a slash.")
