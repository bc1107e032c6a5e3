"""Accessibility: screen readers, keyboard, phone, dark mode, and no JavaScript."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.measure.page import page_weight
from lessons.workshop.student import progress
from tests.support.axe import colors, violations

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
ICON = "/static/lessons/common/favicon.svg"
PHONE = {"viewport": {"width": 390, "height": 844}}
CALM = {"color_scheme": "light", "reduced_motion": "reduce"}  # no colour is in transition
# For early elements, and for one that differs from earlier ones in its colour only.
BAD_COLOURS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".eyebrow, .k, #last { color: #bbb !important }");
  document.adoptedStyleSheets = [sheet];
  [...document.querySelectorAll(".prose p")].at(-1).id = "last";
}"""
# {selector: [color, background]} of the text and of all kinds of code and transcripts.
COLOURS_IN_USE = """() => Object.fromEntries(
  ["body", ...new Set([...document.querySelectorAll("pre [class], code, .step, a")].map(
    one => one.className ? "." + one.className.split(" ").join(".") : one.tagName
  ))].map(name => {
    const { color, backgroundColor } = getComputedStyle(document.querySelector(name));
    return [name, [color, backgroundColor]];
  })
)"""
# Later sections look the same, and axe needs time for each of them.
ONE_OF_EACH = """() => {
  const same = "main > section ~ section, article ~ article, .notes .prose > h2 ~ h2 ~ h2 ~ *";
  document.querySelectorAll(same).forEach(one => one.remove());
}"""


@pytest.fixture
def judged(state_dir, monkeypatch):
    """Lesson 3 with one check green, one red and one not run."""
    monkeypatch.setattr(progress, "state_dir", lambda: state_dir)
    finding = Finding("no-stop-consumer", "websocket.disconnect → Lamp", detail="x" * 200)
    outcomes = (
        Outcome("test_a", "It starts.", "green"),
        Outcome("test_b", "It stops.", "red", finding),
        Outcome("test_c", "It rests.", "not run"),
    )
    progress.save_verdict(find("stop"), Verdict("03-stop", "exercise", outcomes))
    yield
    (state_dir / "progress.json").unlink()


def expect_no_violations(page):
    """In light and in dark mode."""
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert colors(page) == []
    page.emulate_media(color_scheme="light")


def test_a_lesson_in_use_has_no_axe_violations(visit, judged):
    page = visit("03-stop", **CALM)
    page.connect()
    page.send("<b>hello</b>")
    page.expect_highlighted("websocket_receive")
    expect_no_violations(page.page)
    page.page.set_viewport_size(PHONE["viewport"])
    page.show("Wire").press("Table")
    expect_no_violations(page.page)


def test_the_reference_pages_have_no_axe_violations(browser, address, judged):
    with browser.new_context(**CALM) as context:
        page = context.new_page()
        for path in (
            *(
                "/lessons/none/",
                "/search/?q=zombie",
                "/search/?q=kubernetes",
                "/search/?q=hanshake",
            ),
            *("/diagnoses/", "/notes/", "/notes/redis/", "/"),
        ):
            page.goto(address + path)
            page.evaluate(ONE_OF_EACH)
            expect_no_violations(page)
        page.keyboard.press("?")
        expect_no_violations(page)


def test_axe_finds_every_style_with_bad_colours(visit):
    page = visit("03-stop").show("See").page
    assert colors(page) == []
    page.evaluate(BAD_COLOURS)
    (found,) = colors(page)
    assert found[0] == "color-contrast"
    for part in ('class="eyebrow"', 'class="k"', 'id="last"'):
        assert any(part in html for html in found[1])


def test_a_page_is_printed_in_the_same_colours_in_light_and_in_dark_mode(visit):
    page = visit("03-stop", reduced_motion="reduce").page  # not the window of other tests
    used = {}
    for scheme in ("light", "dark"):
        page.emulate_media(media="print", color_scheme=scheme)
        used[scheme] = page.evaluate(COLOURS_IN_USE)
    assert used["dark"] == used["light"]
    assert used["dark"]["body"] == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert len(used["dark"]) >= 6


def test_a_conversation_can_be_held_with_the_keyboard_alone(visit):
    page = visit("02-frames")
    keyboard, focused = page.page.keyboard, page.page.locator(":focus")
    page.client().get_by_label("Path and query").focus()
    keyboard.press("Enter")
    page.expect_status("Open.")
    expect(focused).to_have_accessible_name("Payload")
    keyboard.press("Control+A")
    keyboard.type("typed")
    keyboard.press("Enter")
    page.expect_browser_log("open", 'message "typed"')
    for label in ("Send", "Close code"):
        keyboard.press("Tab")
        expect(focused).to_have_accessible_name(label)
        outline = focused.evaluate("element => getComputedStyle(element).outlineStyle")
        assert outline == "solid"
    keyboard.type("4321")
    keyboard.press("Enter")
    expect(focused).to_have_accessible_name("Connect")
    expect(page.page.locator("#events tr").last).to_contain_text("finished")
    expect(page.page.locator("#events")).to_contain_text("websocket.disconnect code: 4321")


def test_the_first_tab_skips_the_header(visit):
    page = visit("02-frames")
    page.page.keyboard.press("Tab")
    expect(page.page.locator(":focus")).to_have_text("Skip to the text")
    page.page.keyboard.press("Enter")
    expect(page.page).to_have_url(re.compile("#main$"))


def test_status_and_events_are_announced_to_screen_readers(visit):
    visited = visit("02-frames")
    visited.expect_status("Not connected.")
    page = visited.page
    visited.show_tab("Browser")
    expect(page.get_by_role("log", name="What the browser received")).to_be_visible()
    page.get_by_role("button", name="Table").click()
    log = page.get_by_role("log", name="What the server recorded")
    expect(log.get_by_role("columnheader")).to_have_text(
        ["#", "ms", "lane", "event", "handler", "thread"]
    )


@pytest.mark.parametrize("key", ["01-accept", "03-stop"])
def test_a_phone_scrolls_in_one_direction_only(visit, key):
    page = visit(key, **PHONE)
    for step in ("Predict", "See", "Do", "Compare", "Wire"):
        page.show(step)
        assert page.page.evaluate("document.documentElement.scrollWidth") == 390
    page.connect()
    assert page.page.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_is_animated_with_reduced_motion(visit):
    page = visit("03-stop", reduced_motion="reduce")
    styles = page.page.evaluate(
        """["#source [data-line]", "#source"].map((x) => document.querySelector(x)).flatMap((one) =>
              [getComputedStyle(one).transitionDuration, getComputedStyle(one).scrollBehavior])"""
    )
    assert styles == ["0s", "auto"] * 2


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_shifts_when_the_panel_starts(visit, size):
    page = visit("03-stop", **size)
    page.page.add_init_script(
        """window.shifted = [];
        new PerformanceObserver((list) => {
            for (const { value, sources } of list.getEntries())
                window.shifted.push([value, ...sources.map(({ node }) => node?.textContent)]);
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    page.page.reload()
    if size is PHONE:
        page.show("Wire")
    expect(page.status()).to_have_text("Not connected.")
    diagram = page.page.locator("#diagram")
    before = diagram.bounding_box()
    page.connect()
    page.send("hello")
    page.expect_highlighted("websocket_receive")
    after = diagram.bounding_box()
    assert (before["width"], before["height"]) == (after["width"], after["height"])
    assert page.page.evaluate("window.shifted") == []


def test_text_source_and_verdict_are_visible_without_javascript(visit, judged):
    page = visit("03-stop", java_script_enabled=False).page
    expect(page.get_by_role("heading", name="How a connection ends")).to_be_visible()
    expect(page.locator("#source [data-line]").first).to_be_visible()
    expect(page.get_by_text("It stops.")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Needs JavaScript.")
    expect(page.get_by_role("button", name="Connect")).to_be_disabled()


def test_a_browser_loads_exactly_what_the_page_weight_counts(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        responses = []
        page.on("response", lambda response: responses.append(response))
        page.goto(f"{address}/lessons/03-stop/", wait_until="networkidle")
        assert {response.status for response in responses} == {200}
        loaded = {urlsplit(response.url).path: len(response.body()) for response in responses}
        get = context.request.get
        counted = page_weight(lambda path: get(address + path).body(), "/lessons/03-stop/")
        if ICON not in loaded:  # a browser without a window loads no icon
            del counted[ICON]
        assert loaded == counted
