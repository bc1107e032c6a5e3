"""A whole lesson, and the navigation of the workshop, with the keyboard only."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.lesson_page import PASTE

RECORDED = "What the server recorded, as a diagram"
RESULTS = re.compile(r"^\s*(The \d+ best of )?\d+ results\s*$")
TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/channels/routing.py", line 168, in __call__
    raise ValueError("No route found for path %r." % path)
ValueError: No route found for path 'ws/chat/'.
"""
MAX_TABS = 80  # more than any page has focusable elements


@pytest.fixture
def page(visit):
    return visit("02-frames")


def tab_to(page, name, role="link", within="body", **options):
    """Press Tab until the element with this role and name has the focus."""
    target = page.locator(within).get_by_role(role, name=name, exact=True, **options)
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not lead to the {role} {name}")


def expect_page(page, title):
    """Expect this page, ready for keys."""
    expect(page).to_have_title(title)
    page.wait_for_load_state()


def test_a_whole_lesson_can_be_done_with_the_keyboard_alone(page, address):
    browser = page.page
    press = browser.keyboard.press
    browser.goto(address)
    tab_to(browser, "2 Frames: text, bytes and nothing")
    press("Enter")
    expect_page(browser, "2 · Frames: text, bytes and nothing")
    press("Tab")
    expect(browser.locator(":focus")).to_have_text("Skip to the text")
    browser.locator("#steps a", has_text="See").focus()
    press("Enter")
    tab_to(browser, "Where it bites")
    browser.get_by_role("link", name="Skip to the picture").focus()
    press("Enter")
    tab_to(browser, "Connect", "button", within=".clients")
    press("Enter")
    page.expect_status("Open.")
    tab_to(browser, "Payload", "textbox")
    press("Control+A")
    browser.keyboard.type("now")
    press("Enter")
    page.expect_drawn('receive "now"')
    tab_to(browser, "Close", "button", disabled=False)
    outline = browser.locator(":focus").evaluate("it => getComputedStyle(it).outlineStyle")
    assert outline == "solid"
    press("Enter")
    page.expect_status("Closed: the browser reports 1000.")
    expect(browser.locator("#diagram .label").last).to_have_text("finished")  # the key End needs it
    tab_to(browser, RECORDED, "slider")
    press("End")
    expect(browser.get_by_role("region", name="The event in full")).to_contain_text("finished")
    press("ArrowUp")
    expect(browser.locator(":focus")).to_have_attribute(
        "aria-valuetext", re.compile("websocket.disconnect")
    )


def test_shortcuts_lead_through_a_lesson_and_can_be_switched_off(page):
    browser = page.page
    press, focused = browser.keyboard.press, browser.locator(":focus")
    page.show("See")
    press("c")
    page.expect_status("Open.")
    press("s")
    expect(focused).to_have_accessible_name("Payload")
    browser.keyboard.type("n/?")  # text, in a field
    press("Enter")
    page.expect_drawn('receive "n/?"')
    press("Tab")
    press("x")
    page.expect_status("Closed: the browser reports 1000.")
    press("n")
    expect_page(browser, "3 · How a connection ends")
    press("?")
    browser.get_by_label("Use the keys.").press("Space")
    press("Escape")
    browser.reload()
    press("?")
    expect(browser.get_by_role("dialog")).to_be_hidden()
    browser.get_by_role("button", name="Menu").press("Enter")
    browser.get_by_label("Use the keys.").check()  # the window is for other tests, too
    press("Escape")
    page.show("Do")
    editor = browser.get_by_role("textbox", name="The file work/03_stop.py")
    editor.focus()
    for key in ("c", "Control+z", "Escape", "Tab"):  # c types: here it is not a shortcut
        press(key)
    expect(browser.locator("#editor").locator(":focus")).to_have_count(0)
    expect(editor).to_contain_text("class Guess")


def test_the_search_finds_words_and_reads_a_pasted_traceback(page):
    browser = page.page
    browser.keyboard.press("/")
    expect(browser.get_by_role("searchbox")).to_be_focused()
    browser.keyboard.type("zombie stop")
    browser.keyboard.press("Enter")
    expect(browser).to_have_url(f"{page.address}/search/?q=zombie+stop")
    expect(browser.locator("#count")).to_have_text(RESULTS)
    found = browser.locator("#results a").first
    heading = found.inner_text().removeprefix("3 · How a connection ends: ")
    tab_to(browser, found.inner_text())
    browser.keyboard.press("Enter")
    expect(browser.get_by_role("heading", name=heading)).to_be_in_viewport()
    browser.goto(f"{page.address}/search/")
    browser.get_by_role("searchbox").evaluate(PASTE, TRACEBACK)
    expect(browser.locator("#results a").first).to_have_text("No route matches the path")
