"""What NOTES.md says of browsers, in a real one."""

OFFER = """path => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${location.host}${path}`, ["door.v1"]);
  socket.onopen = () => resolve("open");
  socket.onclose = ({ code }) => resolve(code);
})"""


def test_chromium_gives_up_without_the_subprotocol_that_it_offered(visit):
    page = visit("03-stop")
    assert page.page.evaluate(OFFER, "/ws/sync/stop/") == 1006
    assert "no response was received" in page.errors.pop()


def test_what_the_browser_makes_of_json(visit):
    page = visit("03-stop").page
    assert page.evaluate("JSON.stringify([NaN, null, new Date(0)])") == (
        '[null,null,"1970-01-01T00:00:00.000Z"]'
    )
    assert page.evaluate("(() => { try { JSON.parse('NaN') } catch (e) { return e.name } })()") == (
        "SyntaxError"
    )
