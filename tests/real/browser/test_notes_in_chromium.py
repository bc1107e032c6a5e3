"""Statements of NOTES.md about browsers, in a real Chromium."""

OFFER = """name => new Promise((resolve) => {
  try {
    const socket = new WebSocket(`ws://${location.host}/ws/sync/stop/`, [name]);
    socket.onopen = () => resolve("open");
    socket.onclose = ({ code }) => resolve(code);
  } catch (error) { resolve(error.name); }
})"""


def test_chromium_fails_a_connection_without_the_offered_subprotocol(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OFFER, "door.v1") == 1006
    assert "no response was received" in page.errors.pop()


def test_a_colon_in_a_subprotocol_is_a_syntax_error_in_the_browser(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OFFER, "token.WzFd:1vC9Xb:Q7") == "SyntaxError"
