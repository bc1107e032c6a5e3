"""What NOTES.md says of browsers, in a real one."""

from urllib.parse import quote

from tests.support.programs.real_daphne import ACCEPT, CLOSE, RealDaphne

OFFER = """path => new Promise((resolve) => {
  const socket = new WebSocket(`ws://${location.host}${path}`, ["door.v1"]);
  socket.onopen = () => resolve("open");
  socket.onclose = ({ code }) => resolve(code);
})"""

BUSY = """url => new Promise((resolve) => {
  new WebSocket(url).onclose = ({ code }) => resolve(code);
  for (const end = performance.now() + 1500; performance.now() < end;);
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


def test_a_page_that_is_busy_for_longer_than_a_second_misses_the_close_code(browser, address):
    """Unless the server is more patient than Daphne comes, as the workshop of these tests is."""
    patient = f"{address.replace('http', 'ws')}/ws/auth/unguarded/origin/"
    replies = quote(repr([ACCEPT, {**CLOSE, "code": 4401}]))
    with (
        RealDaphne("scripted_server", "default-close-timeout") as server,
        browser.new_context() as context,
    ):
        page, usual = context.new_page(), f"ws://127.0.0.1:{server.port}/?0:{replies}"
        assert page.evaluate(BUSY, usual) == 1006
        assert page.evaluate(BUSY, patient) == 4401
