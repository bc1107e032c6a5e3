"""Lesson 8 in a real browser: an EventSource, and the page's own panel for a request."""

import pytest
from playwright.sync_api import expect

# Resolves with the first three events of an EventSource, or with its error.
LISTEN = """path => new Promise((resolve) => {
  const events = [];
  const source = new EventSource(path);
  const done = () => { source.close(); resolve(events); };
  source.onopen = () => events.push("open");
  source.onmessage = ({ data }) => { events.push(data); if (events.length === 3) done(); };
  source.onerror = () => { events.push("error"); done(); };
})"""


def events(page):
    """The recorded events: column 4 of the table."""
    return page.page.locator("#events tr:not([data-lane=database]):not(.first) td:nth-child(4)")


def test_an_event_source_receives_each_beat_and_ends_the_stream(visit):
    page = visit("08-http")
    watched = page.page.locator("#panel").get_attribute("data-watched")
    page.press("Send")  # opens the feed
    page.expect_status("HTTP 200, the body is arriving.")
    page.press("Leave")
    page.expect_status("You have left.")
    page.press("Clear")
    received = page.page.evaluate(LISTEN, f"{watched}/client=1/async/http/")
    assert received == ["open", "beat 1", "beat 2"]
    expect(events(page).last).to_have_text("· finished")
    expect(events(page).nth(-2)).to_have_text("→ http.disconnect")


def test_an_event_source_rejects_a_response_of_another_type(visit):
    page = visit("08-http")
    assert page.page.evaluate(LISTEN, "/lessons/08-http/") == ["error"]
    (error,) = page.errors
    wrong = 'EventSource\'s response has a MIME type ("text/html") that is not "text/event-stream"'
    assert wrong in error
    page.errors.clear()


def test_a_request_and_its_response_are_shown(visit):
    page = visit("08-http")
    page.choose("Method", "POST")
    page.fill("Path and query", "/async/http/length/")
    page.fill("Body of a POST", "hello world")
    page.press("Send")
    page.expect_status("HTTP 200, complete.")
    page.expect_browser_log("response 200 text/plain", 'part "11 bytes\\n"', "end")
    expect(events(page).last).to_have_text("· finished")
    page.expect_highlighted("http_disconnect")


def test_a_stream_is_shown_until_the_client_leaves(visit):
    page = visit("08-http")
    page.press("Send")
    expect(page.page.locator("#browser-log li").nth(1)).to_have_text('part "data: beat 1\\n\\n"')
    page.expect_status("HTTP 200, the body is arriving.")
    page.press("Leave")
    page.expect_status("You have left.")
    expect(events(page).nth(-2)).to_have_text("→ http.disconnect")
    page.press("Leave")
    page.expect_status("There is nothing to leave. Send a request first.")


def test_a_client_with_requests_stands_beside_clients_with_a_websocket(visit):
    page = visit("29-deploy")
    page.press("Connect", client=1)
    page.expect_status("Open.", client=1)
    page.press("Send", client=3)
    page.expect_status("HTTP 200, complete.", client=3)
    body = page.page.locator("#browser-log li", has_text="open: 1, busy: 0")
    expect(body).to_have_count(1)
    scopes = page.page.locator("#events tr", has_text="scope")
    expect(scopes).to_have_count(2)
    expect(scopes.last).to_contain_text("GET /async/health/")


@pytest.mark.parametrize("path", ["no/slash"])
def test_a_path_without_a_slash_is_rejected(visit, path):
    page = visit("08-http")
    page.fill("Path and query", path)
    page.press("Send")
    page.expect_status("A path begins with a slash.")
