"""Statements of NOTES.md about htmx and its extension for WebSockets, in a real Chromium."""

import json
from contextlib import contextmanager
from importlib.util import find_spec

import pytest
from playwright.sync_api import expect

from tests.support.programs.real_daphne import RealDaphne
from tests.support.required_programs import skip_or_fail

VERSIONS = pytest.mark.parametrize("version", ["2", "4"])
OUT_OF_BAND = '<div id="messages" hx-swap-oob="beforeend"><p>hello</p></div>'


@pytest.fixture(scope="module")
def server():
    if find_spec("django_htmx") is None:
        skip_or_fail("There is no django-htmx: pip install --require-hashes -r .ci/extras.txt")
    with RealDaphne("htmx_server") as server:
        yield server


class HtmxPage:
    def __init__(self, page):
        self.page, self.frames, self.console = page, [], []
        self.messages = page.locator("#messages")
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("websocket", lambda socket: socket.on("framesent", self._keep_frame))

    def _keep_frame(self, data):
        self.frames.append(json.loads(data))

    def submit(self, text):
        """Submit the form, and wait until the page has handled the answer."""
        handled = ["htmx:wsAfterMessage", "htmx:after:ws:message"]
        self.page.evaluate(
            "names => { self.handled = new Promise(done => names.forEach("
            "name => addEventListener(name, done))) }",
            handled,
        )
        self.page.locator("input").fill(text)
        self.page.get_by_role("button").click()
        self.page.evaluate("self.handled.then(() => null)")


@pytest.fixture
def visit_htmx(browser, server):
    """`with visit_htmx(version, name) as page`: a page that is connected to that consumer."""

    @contextmanager
    def visit(version, name):
        with browser.new_context() as context:
            page = HtmxPage(context.new_page())
            with page.page.expect_websocket():
                page.page.goto(f"http://127.0.0.1:{server.port}/{version}/{name}/")
            yield page

    return visit


def test_htmx_2_sends_the_fields_of_a_form_beside_its_headers(visit_htmx):
    with visit_htmx("2", "repeater") as page:
        page.submit(OUT_OF_BAND)
        [frame] = page.frames
        assert frame.pop("HEADERS")["HX-Request"] == "true"
        assert frame == {"message": OUT_OF_BAND}


def test_htmx_4_sends_the_fields_of_a_form_as_the_body(visit_htmx):
    with visit_htmx("4", "repeater") as page:
        page.submit(OUT_OF_BAND)
        [frame] = page.frames
        assert sorted(frame) == ["body", "headers"]
        assert frame["headers"]["HX-Request"] == "true"
        assert frame["body"] == {"message": OUT_OF_BAND}


def test_in_htmx_2_an_element_replaces_the_one_with_its_id(visit_htmx):
    with visit_htmx("2", "repeater") as page:
        page.submit('<div id="messages">new</div>')
        expect(page.messages).to_have_text("new")


def test_in_htmx_4_only_an_element_with_hx_swap_oob_is_swapped(visit_htmx):
    with visit_htmx("4", "repeater") as page:
        page.submit('<div id="messages">new</div>')
        expect(page.messages).to_have_text("first")
        page.submit('<div id="messages" hx-swap-oob="true">new</div>')
        expect(page.messages).to_have_text("new")
        assert page.console == []


@pytest.mark.parametrize(
    "version, answer, log",
    [
        ("2", "<p>hello</p>", ["htmx:oobErrorNoTarget, #null"]),
        ("2", "hello", []),
        ("2", '{"message": "hello"}', []),
        ("4", "<p>hello</p>", []),
        ("4", "hello", []),
        ("4", '{"message": "hello"}', []),
    ],
)
def test_an_answer_without_an_id_changes_nothing(visit_htmx, version, answer, log):
    with visit_htmx(version, "repeater") as page:
        before = page.page.locator("main").inner_html()
        page.submit(answer)
        assert page.page.locator("main").inner_html() == before
        assert page.console == log


@VERSIONS
def test_a_swap_out_of_band_can_append(visit_htmx, version):
    with visit_htmx(version, "repeater") as page:
        page.submit(OUT_OF_BAND)
        expect(page.messages.locator("p")).to_have_text(["first", "hello"])


@VERSIONS
def test_a_message_with_markup_is_shown_as_text(visit_htmx, version):
    with visit_htmx(version, "chat") as page:
        page.submit("<b>hello</b>")
        expect(page.messages.locator("p")).to_have_text(["first", "<b>hello</b>"])
