"""The projector mode of a lesson's page."""

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations

SIZES = [(1366, 640), (1920, 1080)]


def font_size(page):
    return page.evaluate("() => parseFloat(getComputedStyle(document.documentElement).fontSize)")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_p_shows_only_the_diagram_and_the_code_in_large_type(visit, width, height):
    lesson = visit("03-stop", viewport={"width": width, "height": height})
    page = lesson.page
    page.keyboard.press("P")
    expect(page.get_by_role("navigation", name="Lessons")).to_be_hidden()
    expect(page.locator("#main")).to_be_hidden()
    expect(page.get_by_label("User")).to_be_hidden()
    lesson.connect()
    for part in (page.get_by_label("Payload"), page.locator("#source"), page.locator("#diagram")):
        expect(part).to_be_visible()
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert font_size(page) >= 20
    expect(page.locator("#diagram .label").first).to_have_css("font-size", "20.8px")
    assert violations(page, "#wire") == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Lessons")).to_be_visible()
    assert font_size(page) == 16


def test_the_tab_remembers_the_mode_and_the_button_ends_it(visit):
    lesson = visit("03-stop", viewport={"width": 1440, "height": 900})
    page = lesson.page
    button = page.get_by_role("button", name="Projector")
    button.click()
    expect(page.locator("#main")).to_be_hidden()
    page.reload()
    expect(page.locator("#main")).to_be_hidden()
    button.click()
    expect(page.locator("#main")).to_be_visible()
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#main")).to_be_visible()
