"""Accessibility: screen readers, every width, zoom, dark mode, and no JavaScript."""

import gzip

from playwright.sync_api import expect

from tests.support.axe import violations_in_both_schemes
from tests.support.cut_text import COVERED, WIDTHS, ZOOMED, cut, cut_at_each_width

PHONE = {"viewport": {"width": 390, "height": 844}}
CALM = {"color_scheme": "light", "reduced_motion": "reduce"}  # no colour is in transition
# Later sections look the same, and axe needs time for each of them.
ONE_OF_EACH = """() => {
  const same = "main > section ~ section, article ~ article, .notes .prose > h2 ~ h2 ~ h2 ~ *";
  document.querySelectorAll(same).forEach(one => one.remove());
}"""


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


def test_no_step_of_a_lesson_is_cut_at_any_width(visit):
    lesson = visit("14-redis", reduced_motion="reduce").show("See")
    lesson.connect()
    found = {}
    for width in WIDTHS:
        lesson.page.set_viewport_size({"width": width, "height": 800})
        for step in ("Predict", "See", "Do", "Picture"):
            if step != "Picture" or width < 1200:
                lesson.show(step)
            if rest := cut(lesson.page, width):
                found[width, step] = rest
        lesson.page.evaluate("location.hash = '#mistake-NamesNoLayer'")
        if rest := cut(lesson.page, width):
            found[width, "Compare"] = rest
    assert found == {}


def test_a_lesson_can_be_used_at_a_zoom_of_200_percent(visit):
    lesson = visit("12-group", reduced_motion="reduce").show("See")
    lesson.page.set_viewport_size(dict(zip(("width", "height"), ZOOMED, strict=True)))
    lesson.show("Picture").connect()
    for step in ("Picture", "Predict", "See", "Do"):
        lesson.show(step)
        assert (step, cut(lesson.page, *ZOOMED)) == (step, [])
        assert (step, lesson.page.evaluate(COVERED)) == (step, [])
    lesson.page.get_by_role("button", name="Menu", exact=True).click()
    assert cut(lesson.page, *ZOOMED) == []


def test_nothing_moves_for_a_user_who_wants_less_motion(visit, address):
    lesson = visit("03-stop", reduced_motion="reduce").show("See")
    page = lesson.page
    page.get_by_role("link", name="Play connect, text bye").click()
    expect(page.locator("#playback .count")).to_have_text("8 events")
    expect(page.locator("#diagram .label").last).to_have_text("finished")
    assert page.evaluate("document.getAnimations().length") == 0
    page.goto(address)
    expect(page.locator("#picture").get_by_role("button", name="Play")).to_be_visible()


def test_text_and_task_are_shown_without_javascript(visit, address):
    page = visit("03-stop", java_script_enabled=False).page
    for text in (
        "How a connection ends",
        "Where it bites",
        "Your exercise: a guessing game that ends",
    ):
        expect(page.get_by_role("heading", name=text)).to_be_visible()
    expect(page.get_by_text("manage.py lesson check 3")).to_be_visible()
    page.goto(address)
    text = page.get_by_role("region", name="A recorded conversation")
    expect(text).to_contain_text('websocket.send  text: "now playing: tango"')


def test_a_first_visit_loads_less_than_94_kb_compressed_and_no_editor(browser, address):
    with browser.new_context() as context:
        page, responses = context.new_page(), []
        page.on("response", lambda response: responses.append(response))
        page.goto(f"{address}/lessons/23-chat/", wait_until="networkidle")
        assert {response.status for response in responses} == {200}
        sizes = {one.url: len(gzip.compress(one.body())) for one in responses}
        assert 0 < sum(sizes.values()) < 94_000, sizes
