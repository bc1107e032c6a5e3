"""A whole lesson, and the navigation of the workshop, with the keyboard only."""

import re

import pytest
from playwright.sync_api import expect

RECORDED = "What the server recorded, as a diagram"
RESULTS = re.compile(r"^\s*\d+ results\s*$")
TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/channels/routing.py", line 168, in __call__
    raise ValueError("No route found for path %r." % path)
ValueError: No route found for path 'ws/chat/'.
"""
PASTE = """(field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
}"""
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
    tab_to(browser, "Skip to the text")
    press("Enter")
    tab_to(browser, "See")
    press("Enter")
    tab_to(browser, "Why")
    tab_to(browser, "Skip to the live panel")
    press("Enter")
    tab_to(browser, "Connect", "button", within="#clients")
    press("Enter")
    page.expect_status("Open.")
    tab_to(browser, "Payload", "textbox")
    press("Control+A")
    browser.keyboard.type("now")
    press("Enter")
    page.expect_browser_log("open", 'message "now"')
    tab_to(browser, "Close", "button", disabled=False)
    press("Enter")
    page.expect_status("Closed with 1000.")
    expect(browser.locator("#diagram .label").last).to_have_text("finished")  # the key End needs it
    tab_to(browser, RECORDED, "slider")
    press("End")
    expect(browser.get_by_role("region", name="The event in full")).to_contain_text("finished")
    press("ArrowUp")
    expect(browser.locator(":focus")).to_have_attribute(
        "aria-valuetext", re.compile("websocket.disconnect")
    )
    tab_to(browser, "3 stop →")
    press("Enter")
    expect_page(browser, "3 · How a connection ends")


def test_shortcuts_lead_through_a_lesson(page):
    browser = page.page
    press, focused = browser.keyboard.press, browser.locator(":focus")
    press("c")
    page.expect_status("Open.")
    press("s")
    expect(focused).to_have_accessible_name("Payload")
    browser.keyboard.type("n/?")  # text, in a field
    press("Enter")
    page.expect_browser_log("open", 'message "n/?"')
    press("Tab")
    press("x")
    page.expect_status("Closed with 1000.")
    press("r")
    expect(focused).to_have_accessible_name(RECORDED)
    press("e")
    expect(focused).to_have_accessible_name(re.compile("^Your exercise"))
    press("n")
    expect_page(browser, "3 · How a connection ends")
    press("p")
    expect_page(browser, "2 · Frames: text, bytes and nothing")
    press("l")
    expect_page(browser, "Channels from the wire up")


def test_the_dialog_lists_the_shortcuts_of_this_page(page, address):
    browser = page.page
    browser.goto(f"{address}/notes/")
    browser.keyboard.press("?")
    dialog = browser.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_role("row")).to_have_text(
        ["/search", "lthe list of lessons", "?these shortcuts"]
    )
    browser.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_shortcuts_can_be_switched_off_permanently(page):
    browser = page.page
    browser.get_by_role("button", name="Keyboard shortcuts").press("Enter")
    browser.get_by_label("Use these keys").press("Space")
    browser.keyboard.press("Escape")
    browser.reload()
    browser.keyboard.press("?")
    browser.keyboard.press("c")
    expect(browser.get_by_role("dialog")).to_be_hidden()
    page.expect_status("Not connected.")
    browser.get_by_role("button", name="Keyboard shortcuts").press("Enter")
    browser.get_by_label("Use these keys").check()
    browser.keyboard.press("Escape")
    browser.keyboard.press("c")
    page.expect_status("Open.")


def test_the_search_runs_while_the_user_types(page):
    browser = page.page
    browser.keyboard.press("/")
    expect(browser.get_by_role("searchbox")).to_be_focused()
    browser.keyboard.type("zombie stop")
    expect(browser).to_have_url(f"{page.address}/search/?q=zombie+stop")
    expect(browser.locator("#count")).to_have_text(RESULTS)
    assert browser.evaluate("navigation.currentEntry.index") > 0
    browser.keyboard.type("xyz")
    expect(browser.locator("#count")).to_contain_text("No text contains “stopxyz”.")
    for _ in "xyz":
        browser.keyboard.press("Backspace")
    expect(browser.locator("#count")).to_have_text(RESULTS)
    tab_to(browser, "3 · How a connection ends: Why")
    browser.keyboard.press("Enter")
    expect(browser.get_by_role("heading", name="Why")).to_be_in_viewport()


def test_a_pasted_traceback_finds_the_diagnosis_of_its_last_line(page):
    browser = page.page
    browser.goto(f"{page.address}/search/")
    browser.get_by_role("searchbox").evaluate(PASTE, TRACEBACK)
    expect(browser.locator("#results a").first).to_have_text(
        "No route matches the path of the handshake"
    )
    browser.keyboard.press("Enter")
    expect(browser.get_by_role("searchbox")).to_be_focused()


def test_the_search_works_without_javascript(visit, address):
    browser = visit("02-frames", java_script_enabled=False).page
    browser.goto(f"{address}/search/")
    browser.get_by_role("searchbox", name="Words, or an error message").fill("zombie stop")
    browser.keyboard.press("Enter")
    expect(browser.locator("#count")).to_have_text(RESULTS)
