"""At every width, all text of a lesson can be read, or there is a visible way to the rest of it."""

from tests.support.cut_text import COVERED, WIDTHS, ZOOMED, cut

STEPS = ("Predict", "See", "Do", "Picture")


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
