"""The comparison of a mistake with the solution, in a real browser."""

import re

from playwright.sync_api import expect

from tests.support.axe import violations
from tests.support.browser_login import log_in


def test_a_link_to_a_mistake_runs_its_comparison(visit):
    page = visit("03-stop", color_scheme="dark").page
    page.goto(f"{page.url}#mistake-StopsWithoutAClose")
    compare = page.get_by_role("region", name="Compare with a mistake")
    expect(compare).to_contain_text("Played: connect · text 7. The first difference is marked.")
    expect(compare.get_by_role("heading", level=3)).to_have_text(
        "The consumer stopped, and the socket stayed open"
    )
    right = compare.get_by_role("figure", name="The solution")
    wrong = compare.get_by_role("figure", name="The mistake")
    expect(right.locator(".event-text")).to_have_text('{"type": "websocket.close", "code": 1000}')
    expect(wrong.locator(".event-text")).to_have_text('{"type": "finished"}')
    expect(compare.locator("svg .difference")).to_have_count(2)
    assert violations(page, "#compare") == []


def test_a_mistake_is_chosen_with_the_keyboard_and_named_in_the_address(visit):
    page = visit("03-stop").show("Compare").page
    mistake = page.get_by_role("combobox", name="Mistake")
    expect(mistake).to_be_enabled()
    mistake.focus()
    page.keyboard.press("D")  # Does not raise: a second without a key would begin another search
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    compare = page.get_by_role("region", name="Compare with a mistake")
    expect(compare).to_contain_text("must be raised")
    expect(compare).to_contain_text("Played: connect · text bye. There is no difference.")
    assert page.url.endswith("#mistake-DoesNotRaise")


def test_the_users_own_steps_can_be_compared(visit):
    lesson = visit("03-stop").show("Compare")
    compare = lesson.page.get_by_role("region", name="Compare with a mistake")
    lesson.page.get_by_label("Conversation").select_option("your conversation on this page")
    lesson.press("Compare")
    expect(compare).to_contain_text("Nothing was played on this page yet.")
    lesson.show("See")
    lesson.connect()
    lesson.send("7")
    lesson.show("Compare")
    lesson.page.get_by_role("combobox", name="Mistake").select_option(value="CatchesStopConsumer")
    expect(compare.locator("#compare-intro code")).to_have_text("except Exception")
    lesson.page.get_by_role("combobox", name="Mistake").select_option("Stops without a close")
    lesson.press("Compare")
    # An answer that took longer than 0.3 seconds is a step too.
    played = r"Played: connect · text 7( · wait [\d.]+)?\. The first difference is marked\."
    expect(compare).to_contain_text(re.compile(played))


def test_an_instructor_sees_the_code_of_both_and_what_handled_the_chosen_event(visit, address):
    lesson = visit("03-stop", viewport={"width": 1366, "height": 640})
    log_in(lesson.page, address, "instructor")
    page = lesson.open("03-stop").page
    page.goto(f"{page.url}#mistake-CountsForEveryone")
    wrong = page.get_by_role("figure", name="The mistake")
    differs = wrong.locator("pre .line.differs[data-line]")
    expect(differs.first).to_contain_text("CountsForEveryone.tries = 3")
    right = page.get_by_role("figure", name="The solution")
    heights = "lines => lines.map((line) => Math.round(line.getBoundingClientRect().height))"
    rows = [side.locator(".line").evaluate_all(heights) for side in (right, wrong)]
    assert rows[0] == rows[1]
    assert len(rows[0]) > 20
    assert set(rows[0]) == {20}
    for side in (right, wrong):
        expect(side.locator(".line.highlighted").first).to_contain_text("def websocket_receive")
    wrong.get_by_role("slider").focus()
    page.keyboard.press("End")
    expect(wrong.locator(".line.highlighted").first).to_contain_text("def websocket_disconnect")
    page.wait_for_function(  # the other diagram follows in its own scroll event
        """() => {
            const marks = [...document.querySelectorAll(".compare rect.difference")];
            const [left, right] = marks.map((mark) => mark.getBoundingClientRect().top);
            return Math.round(left) === Math.round(right);
        }"""
    )
    assert violations(page, "#compare") == []


def test_a_student_who_was_never_green_sees_no_code(visit):
    page = visit("11-channel").page
    page.goto(f"{page.url}#mistake-CallsItLikeAFunction")
    expect(page.get_by_text("Their code appears here when your exercise")).to_be_visible()
    expect(page.locator(".code-pane .line")).to_have_count(0)
