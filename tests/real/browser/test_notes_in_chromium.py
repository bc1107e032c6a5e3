"""Statements of NOTES.md about browsers, in a real Chromium."""

from urllib.parse import quote

from tests.support.programs.real_daphne import ACCEPT, CLOSE, RealDaphne

OFFER = """path => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${location.host}${path}`, ["door.v1"]);
  socket.onopen = () => resolve("open");
  socket.onclose = ({ code }) => resolve(code);
})"""

OPEN_WITH = """name => new Promise((resolve) => {
  try {
    const socket = new WebSocket(`ws://${location.host}/ws/sync/stop/`, [name]);
    socket.onclose = ({ code }) => resolve(code);
  } catch (error) { resolve(error.name); }
})"""

BUSY = """([url, time]) => new Promise((resolve) => {
  new WebSocket(url).onclose = ({ code }) => resolve(code);
  for (const end = performance.now() + time; performance.now() < end;);
})"""


def test_chromium_fails_a_connection_without_the_offered_subprotocol(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OFFER, "/ws/sync/stop/") == 1006
    assert "no response was received" in page.errors.pop()


def test_a_colon_in_a_subprotocol_is_a_syntax_error_in_the_browser(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OPEN_WITH, "token.WzFd:1vC9Xb:Q7") == "SyntaxError"
    assert page.page.evaluate(OPEN_WITH, "token.WzFd.1vC9Xb.Q7") == 1006
    assert "no response was received" in page.errors.pop()


def test_the_browser_has_no_nan_in_json(visit):
    page = visit("03-stop").page
    assert page.evaluate("JSON.stringify([NaN, null, new Date(0)])") == (
        '[null,null,"1970-01-01T00:00:00.000Z"]'
    )
    assert page.evaluate("(() => { try { JSON.parse('NaN') } catch (e) { return e.name } })()") == (
        "SyntaxError"
    )


def test_a_page_that_is_busy_for_over_a_second_misses_the_close_code(browser, address):
    """Not if the server waits longer than Daphne does by default, as the tests' workshop does."""
    patient = f"{address.replace('http', 'ws')}/ws/auth/unguarded/origin/"
    replies = quote(repr([ACCEPT, {**CLOSE, "code": 4401}]))
    with (
        RealDaphne("scripted_server", "default-close-timeout") as server,
        browser.new_context() as context,
    ):
        page, usual = context.new_page(), f"ws://127.0.0.1:{server.port}/?0:{replies}"
        # Longer than the second that Daphne waits: a busy machine starts that second late.
        assert page.evaluate(BUSY, [usual, 4000]) == 1006
        assert page.evaluate(BUSY, [patient, 1500]) == 4401
