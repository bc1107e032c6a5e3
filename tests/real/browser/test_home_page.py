"""The first page, and what every page says when the workshop's server has ended."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import LessonPage

from tests.support.axe import colors, violations

CALM = {"color_scheme": "light", "reduced_motion": "reduce"}
SIZES = [(390, 844), (768, 1024), (1024, 768), (1366, 640), (1440, 900), (1920, 1080)]


@pytest.fixture
def home(browser, address):
    """`home(**options)`: the first page, in its own window."""
    contexts = []

    def start(path="/", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(address + path)
        return page

    yield start
    for context in contexts:
        context.close()


def test_the_picture_plays_and_can_be_paused(home):
    page = home()
    expect(page.get_by_role("slider", name="A recorded conversation")).to_be_visible()
    expect(page.locator(".picture .chosen .type")).to_have_text("websocket.connect")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_picture_is_still_and_whole_with_reduced_motion(home):
    page = home(**CALM)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator(".picture .ordinal")).to_have_count(2)


def test_without_javascript_the_page_shows_the_conversation_as_text(home):
    page = home(java_script_enabled=False)
    text = page.get_by_role("region", name="A recorded conversation")
    expect(text).to_contain_text('websocket.send  text: "now playing: tango"')
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/auth/login/", "/auth/", "/nothing/"])
def test_has_no_axe_violations(home, path):
    page = home(path, **CALM)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert colors(page) == []


@pytest.mark.parametrize("path", ["/", "/auth/login/", "/nothing/", "/notes/redis/"])
def test_nothing_is_wider_than_the_window(home, path):
    page = home(path, **CALM)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_says_that_the_server_has_ended_and_that_it_is_back(browser, address):
    with browser.new_context() as context:
        sockets = []
        context.route_web_socket("**/alive/", lambda socket: _let_pass(socket, sockets))
        page = LessonPage(context.new_page(), address).open("03-stop").page
        page.clock.install()
        page.reload()
        offline = page.locator("#offline")
        expect(offline).to_be_hidden()
        page.wait_for_function("() => true")
        context.unroute_all()
        sockets.append(None)  # from now on, no connection is let through
        sockets[-2].close()
        page.clock.run_for(2500)
        expect(offline).to_contain_text("The workshop does not answer. Start it again:")
        expect(offline).to_contain_text("If it does not start: python3 manage.py doctor")
        sockets.pop()
        page.clock.run_for(5000)
        expect(offline).to_be_hidden()


def _let_pass(socket, sockets):
    if sockets and sockets[-1] is None:
        socket.close()
    else:
        sockets.append(socket)
        socket.connect_to_server()
