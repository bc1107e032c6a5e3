"""At every width, all text of a page can be read, or there is a visible way to the rest of it."""

from tests.support.cut_text import WIDTHS, cut

STEPS = ("Predict", "See", "Do", "Picture")
OTHERS = (
    "/",
    "/auth/login/",
    "/notes/redis/",
    "/search/?q=zombie",
    "/diagnoses/",
    "/lessons/none/",
)


def test_no_step_of_a_lesson_is_cut_at_any_width(visit):
    lesson = visit("14-redis", reduced_motion="reduce").show("See")
    lesson.connect()
    found = {}
    for width in WIDTHS:
        lesson.page.set_viewport_size({"width": width, "height": 800})
        for step in STEPS:
            if step != "Picture" or width < 1200:
                lesson.show(step)
            if rest := cut(lesson.page, width):
                found[width, step] = rest
        lesson.page.evaluate("location.hash = '#mistake-NamesNoLayer'")
        if rest := cut(lesson.page, width):
            found[width, "Compare"] = rest
    assert found == {}


def test_no_other_page_is_cut_at_any_width(browser, address):
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        for path in OTHERS:
            page.goto(address + path)
            assert (path, {it: rest for it in WIDTHS if (rest := cut(page, it))}) == (path, {})
