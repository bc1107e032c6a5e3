"""The page of a class report, which is one file, in a real browser."""

import pytest
from playwright.sync_api import expect

from lessons.workshop.grading.report_page import as_html
from tests.support.axe import colors, violations
from tests.support.class_reports import long_class

OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


@pytest.fixture
def open_report(browser, tmp_path):
    """`open_report(width=390)`: the page of a class with long names, in a window."""
    file = tmp_path / "report.html"
    file.write_text(as_html(long_class()), encoding="utf-8")
    contexts = []

    def start(width, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.goto(file.as_uri())
        return page

    yield start
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 1920])
def test_has_no_axe_violations_and_fits_the_window(open_report, width):
    page = open_report(width)
    page.evaluate(OPEN_ALL)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_has_no_bad_colours_in_the_dark(open_report):
    page = open_report(1280, color_scheme="dark")
    page.evaluate(OPEN_ALL)
    assert colors(page) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"


def test_a_cell_of_the_table_leads_to_its_verdict(open_report):
    page = open_report(1280)
    claim = page.get_by_role("listitem").filter(has_text="It ends.").first
    expect(claim).to_be_hidden()
    page.get_by_role("link", name="✗ red 0/2").first.click()
    expect(claim).to_be_visible()
