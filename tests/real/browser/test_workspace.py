"""The lesson's page as one workspace: predict, see, play, compare, teach, show."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations
from tests.support.cut_text import TWO_FRAMES
from tests.support.lesson_page import log_in

SMALL_LAPTOP = {"viewport": {"width": 1366, "height": 640}}
RIGHT = [
    'client → websocket.receive  text: "hello"',
    'client ← websocket.send  text: "You said: hello"',
    "client → websocket.disconnect  code: None",
    "consumer · finished",
]
LINE = "Below this line: never comes"
# What can be pressed, chosen or written in, and is in the window. The editor is one control, with
# the sign in its text where the docstring is folded.
CONTROLS = """() => [...document.querySelectorAll(
  "button, input, select, summary, textarea, nav a, a.home, a.primary, [role=slider]"
)].concat([...document.querySelectorAll(".code-area")].flatMap(
  (area) => [...area.shadowRoot.querySelectorAll("[contenteditable=true]")]
)).filter((one) => {
  const { top, bottom, left, right, width } = one.getBoundingClientRect();
  const isInWindow = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth && width > 1;
  return isInWindow && one.checkVisibility() && !one.closest(".skip, [inert]");
}).map((one) => one.ariaLabel || one.textContent.trim() || one.name || one.tagName)"""


def in_order(asked):
    """The labels of the cards in their order, with the line between them."""
    return asked.locator(".cards > li").evaluate_all(
        """items => items.map(item => item.querySelector("button")
            ?.getAttribute("aria-label").replace("Up: ", "") ?? item.textContent)"""
    )


def test_an_order_can_be_predicted_and_checked_with_the_keyboard_alone(visit):
    page = visit("03-stop", color_scheme="dark").page
    page.goto(f"{page.url}#question-2")
    page.reload()
    asked = page.get_by_role("region", name="Question 2", exact=True)
    asked.get_by_role("button", name="Put the events in order").press("Enter")
    expect(asked.locator(".card")).to_have_count(6)
    for place, label in enumerate(RIGHT):
        asked.get_by_role("button", name=f"Up: {label}", exact=True).focus()
        for _ in range(in_order(asked).index(label) - place):
            page.keyboard.press("Enter")
            page.evaluate(TWO_FRAMES)
    for label in in_order(asked)[4:6]:
        asked.get_by_role("button", name=f"Down: {label}", exact=True).focus()
        for _ in range(in_order(asked).index(LINE) - in_order(asked).index(label)):
            page.keyboard.press("Enter")
            page.evaluate(TWO_FRAMES)
    assert in_order(asked)[:5] == [*RIGHT, LINE]
    asked.get_by_role("button", name="Check").press("Enter")
    expect(asked.locator(".status")).to_have_text("Right.")
    expect(page.locator("#saved-title")).to_have_text("Right. This happens:")
    expect(page.locator("#diagram .label").last).to_have_text("finished")
    assert violations(page, "#predict") == []


def test_the_next_step_leads_through_a_lesson(visit, exercise):
    lesson = visit("03-stop")
    page = lesson.page
    primary = page.locator(".primary:visible")
    expect(primary).to_have_text("Put the events in order")
    lesson.show("See")
    assert page.url.endswith("#see")
    page.go_back()
    expect(page.locator("#step-predict")).to_be_visible()
    lesson.show("See")
    expect(primary).to_have_text("Connect")
    primary.click()
    lesson.expect_status("Open.")
    expect(primary).to_have_text("Do the exercise")
    primary.click()
    expect(primary).to_have_count(0)
    exercise.save(exercise.solved)
    expect(primary).to_have_text(re.compile("Next lesson: 4 "))


def test_a_transcript_of_the_text_plays_and_ticks_what_was_tried(visit):
    lesson = visit("03-stop").show("See")
    page = lesson.page
    tried = page.locator(".tries li")
    expect(tried.first).to_have_attribute("data-seen", "false")
    page.get_by_role("link", name="Play connect, text bye").click()
    expect(page.locator("#saved-title")).to_have_text("Played on the worked example")
    expect(page.locator(".played-words")).to_have_text("the client connects, sends “bye”")
    expect(tried.filter(has_text="“bye”")).to_have_attribute("data-seen", "true")
    page.get_by_role("link", name="Play connect, text 7").click()
    expect(page.locator("#saved-title")).to_contain_text("Played on a mistake:")
    expect(page.locator("#source-title")).to_contain_text("mistakes.py")


def test_p_shows_only_the_diagram_and_the_code_in_large_type(visit):
    lesson = visit("03-stop", **SMALL_LAPTOP).show("See")
    page = lesson.page
    lesson.connect()
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 700)")
    page.locator("#diagram .canvas").focus()
    page.keyboard.press("P")
    expect(page.locator(".top")).to_be_hidden()
    for part in (page.get_by_label("Payload"), page.locator("#source"), page.locator("#diagram")):
        expect(part).to_be_in_viewport(ratio=1)
    expect(page.locator("#diagram .label").first).to_have_css("font-size", "20.8px")
    assert violations(page, "#wire") == []
    page.keyboard.press("Escape")
    expect(page.locator("#main")).to_be_visible()
    assert page.evaluate("scrollY") == 700


def test_another_target_disconnects_the_clients_and_a_mistake_is_explained(visit):
    page = visit("12-group").show("See")
    page.connect()
    page.play("mistake:ForgetsTheLength")
    expect(page.page.locator(".what")).to_contain_text("a mistake:")
    page.expect_status("Not connected.")
    expect(page.page.locator("#diagram .row")).to_have_count(0)
    page.connect(path=f"/ws/layers/group/{'x' * 120}/", state="refused")
    page.expect_status("Exception: HTTP 500. The browser reports 1006.")
    expect(page.page.locator("#played-finding .finding")).to_contain_text("mistakes.py, line")
    page.errors.clear()
    page.page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.page.locator("#target [value=solution]")).to_be_disabled()  # it was never green


def test_a_link_to_a_mistake_compares_it_and_only_an_instructor_sees_its_code(visit, address):
    lesson = visit("03-stop", color_scheme="dark")
    page, code = lesson.page, lesson.page.locator(".code-pane .line")
    teach = page.locator("#menu a", has_text="For instructors")
    expect(teach).to_have_count(0)
    page.goto(f"{page.url}#mistake-StopsWithoutAClose")
    compare = page.get_by_role("region", name="Compare with a mistake")
    expect(compare).to_contain_text(
        "the client connects, sends “7”. The first difference is marked."
    )
    right = compare.get_by_role("figure", name="The solution")
    wrong = compare.get_by_role("figure", name="The mistake")
    expect(right.locator(".event-text")).to_have_text('{"type": "websocket.close", "code": 1000}')
    expect(wrong.locator(".event-text")).to_have_text('{"type": "finished"}')
    assert violations(page, "#compare") == []
    expect(page.get_by_text("Their code appears here when your exercise")).to_be_visible()
    expect(code).to_have_count(0)
    log_in(page, address, "instructor")
    lesson.open("03-stop")
    expect(teach).to_have_attribute("href", "/lessons/03-stop/teach/")
    page.goto(f"{page.url}#mistake-CountsForEveryone")
    page.reload()
    different = wrong.locator("pre .line.differs[data-line]")
    expect(different.first).to_contain_text("CountsForEveryone.tries = 3")


def test_a_link_offers_its_steps_and_plays_them_only_when_asked(visit):
    lesson = visit("03-stop").show("See")
    page = lesson.page
    page.goto("about:blank")
    page.goto(f"{lesson.address}/lessons/03-stop/#step=connect&step=text+7+%26+a%7Cb")
    expect(page.locator(".linked-steps code")).to_have_text("connect · text 7 & a|b")
    expect(page.locator("#diagram .row")).to_have_count(0)
    lesson.press("Play these steps")
    expect(page.locator("#diagram .label").last).to_contain_text("You said: 7 & a|b")


def test_task_editor_verdict_and_picture_are_in_sight_together(visit, workshop):
    lesson = visit("19-orm", **SMALL_LAPTOP).show("Do")
    page = lesson.page
    exercise = workshop.exercise("orm")
    exercise.save(exercise.original + "\n# begun")
    expect(page.locator("#verdict .finding")).to_be_visible()
    lesson.press("Show me")
    expect(page.locator("#saved-recording")).to_be_visible()
    expect(page.locator("#diagram .chosen, #diagram .row.different").last).to_be_in_viewport()
    for part in ("#task", "#editor .area", "#verdict .finding h3", "#diagram"):
        box = page.locator(part).first.bounding_box()
        assert 0 <= box["y"] <= box["y"] + box["height"] <= 640, part
    for part in ("#editor .area", "#diagram"):
        assert page.locator(part).bounding_box()["height"] >= 200, part
    assert page.evaluate("document.documentElement.scrollHeight") <= 640
    exercise.save(exercise.original)


# How calm the page is


@pytest.mark.parametrize("size", [(1440, 900), (1366, 640)])
def test_few_controls_are_in_sight(visit, workshop, size):
    """Before the first connect at most 12, navigation included. With one client at most 18.

    A red verdict does not change that.
    """
    (workshop.folder / ".workshop" / "progress.json").unlink(missing_ok=True)
    exercise = workshop.exercise("group")
    exercise.save(exercise.original)
    lesson = visit("12-group", viewport=dict(zip(("width", "height"), size, strict=True)))
    for step in ("Predict", "See", "Do", "red"):
        if step == "red":
            exercise.save(exercise.original + "\n# begun")
            expect(lesson.page.locator("#verdict .checks")).to_be_visible()
            expect(lesson.page.locator("#verdict .finding")).to_be_visible()
        else:
            lesson.show(step)
        if step == "Do":
            expect(lesson.page.locator("#editor .cm-content")).to_be_attached()
        assert len(found := lesson.page.evaluate(CONTROLS)) <= 12, f"{step}: {found}"
    for step in ("See", "Do"):
        lesson.show(step)
        lesson.connect()
        expect(lesson.page.locator("#diagram .row").first).to_be_visible()
        if step == "See":
            lesson.client(2).get_by_role("button", name="Options").click()
            lesson.press("Remove client 2")
        assert len(found := lesson.page.evaluate(CONTROLS)) <= 18, f"{step}: {found}"
    exercise.save(exercise.original)
