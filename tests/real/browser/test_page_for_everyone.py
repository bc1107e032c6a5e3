"""Accessibility: screen readers, phone, dark mode, and no JavaScript."""

from urllib.parse import urlsplit

from playwright.sync_api import expect

from lessons.workshop.grading.report import as_html
from tests.support.axe import violations_in_both_schemes
from tests.support.class_reports import grade, not_judged, report
from tests.support.cut_text import COVERED, ZOOMED, cut, cut_at_each_width
from tests.support.page_weight import page_weight

ICON = "/static/lessons/common/favicon.svg"
PHONE = {"viewport": {"width": 390, "height": 844}}
CALM = {"color_scheme": "light", "reduced_motion": "reduce"}  # no colour is in transition
# Later sections look the same, and axe needs time for each of them.
ONE_OF_EACH = """() => {
  const same = "main > section ~ section, article ~ article, .notes .prose > h2 ~ h2 ~ h2 ~ *";
  document.querySelectorAll(same).forEach(one => one.remove());
}"""
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


def save_red(page, exercise):
    """Save an exercise whose verdict is red, and wait for the verdict."""
    exercise.save(exercise.solved.replace("4000", "4001"))
    expect(page.page.locator("#verdict .state")).to_have_text("red")


def test_a_lesson_in_use_has_no_axe_violations(visit, exercise):
    page = visit("03-stop", **CALM).show("See")
    page.connect()
    page.send("<b>hello</b>")
    page.expect_highlighted("websocket_receive")
    assert violations_in_both_schemes(page.page) == []
    page.show("Do")
    save_red(page, exercise)
    page.press("Show me")
    expect(page.page.locator("#parting")).to_be_visible()
    assert violations_in_both_schemes(page.page) == []
    page.page.set_viewport_size(PHONE["viewport"])
    page.show("Picture")
    assert violations_in_both_schemes(page.page) == []
    page.page.get_by_role("button", name="Menu", exact=True).click()
    assert violations_in_both_schemes(page.page) == []


def test_the_other_pages_are_not_cut_and_have_no_axe_violations(browser, address):
    with browser.new_context(**CALM) as context:
        page = context.new_page()
        for path in (
            *("/", "/auth/login/", "/lessons/none/", "/search/?q=hanshake", "/diagnoses/"),
            "/notes/",
        ):
            page.goto(address + path)
            assert (path, cut(page, *ZOOMED), page.evaluate(COVERED)) == (path, [], [])
            assert (path, cut_at_each_width(page)) == (path, {})
            page.evaluate(ONE_OF_EACH)
            assert violations_in_both_schemes(page) == []
        page.keyboard.press("?")
        assert violations_in_both_schemes(page) == []


def test_a_class_report_has_no_axe_violations_and_leads_to_its_verdicts(browser, tmp_path):
    file = tmp_path / "report.html"
    long_name, red = "Wolfeschlegelsteinhausenbergerdorff " * 3, ("no-stop-consumer", "connect")
    reported = report(grade(long_name, *red, detail="x " * 99), grade("ada"), not_judged("eve"))
    file.write_text(as_html(reported), encoding="utf-8")
    with browser.new_context(viewport={"width": 390, "height": 800}, **CALM) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        claim = page.get_by_role("listitem").filter(has_text="It ends.").first
        expect(claim).to_be_hidden()
        page.get_by_role("link", name="✗ red 0/2").first.click()
        expect(claim).to_be_visible()
        page.evaluate(OPEN_ALL)
        assert violations_in_both_schemes(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_nothing_moves_for_a_user_who_wants_less_motion(visit, address):
    lesson = visit("03-stop", reduced_motion="reduce").show("See")
    page = lesson.page
    page.get_by_role("link", name="Play connect, text bye").click()
    expect(page.locator("#playback .count")).to_have_text("8 events")
    expect(page.locator("#diagram .label").last).to_have_text("finished")
    assert page.evaluate("document.getAnimations().length") == 0
    page.goto(address)
    expect(page.locator("#picture").get_by_role("button", name="Play")).to_be_visible()


def test_text_task_and_search_work_without_javascript(visit, address):
    page = visit("03-stop", java_script_enabled=False).page
    for text in (
        "How a connection ends",
        "Where it bites",
        "Your exercise: a guessing game that ends",
    ):
        expect(page.get_by_role("heading", name=text)).to_be_visible()
    expect(page.get_by_text("manage.py lesson check 3")).to_be_visible()
    page.goto(f"{address}/search/")
    page.get_by_role("searchbox", name="Words, or an error message").fill("zombie stop")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_contain_text("results")
    page.goto(address)
    text = page.get_by_role("region", name="A recorded conversation")
    expect(text).to_contain_text('websocket.send  text: "now playing: tango"')


def test_a_browser_loads_exactly_what_the_page_weight_counts(browser, address, exercise):
    """A first visit: the student has not begun, so no editor is loaded."""
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
