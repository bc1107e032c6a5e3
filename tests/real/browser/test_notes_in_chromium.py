"""Statements of NOTES.md about browsers, in a real Chromium."""

OFFER = """name => new Promise((resolve) => {
  try {
    const socket = new WebSocket(`ws://${location.host}/ws/sync/stop/`, [name]);
    socket.onopen = () => resolve("open");
    socket.onclose = ({ code }) => resolve(code);
  } catch (error) { resolve(error.name); }
})"""


def test_a_subprotocol_that_is_not_answered_or_has_a_colon_fails(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OFFER, "door.v1") == 1006
    assert "no response was received" in page.errors.pop()
    assert page.page.evaluate(OFFER, "token.WzFd:1vC9Xb:Q7") == "SyntaxError"
