"""The lesson's page as one workspace: steps, tabs, dividers, and the one next step."""

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import find
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import progress

SMALL_LAPTOP = {"viewport": {"width": 1366, "height": 640}}
PHONE = {"viewport": {"width": 390, "height": 844}}
SHARE = """() => document.getElementById("diagram").offsetHeight
  / document.getElementById("wire").offsetHeight"""


@pytest.fixture
def verdict(state_dir, monkeypatch):
    """`verdict("green")`: the page of lesson 3 opens with this verdict, red at line 12."""
    monkeypatch.setattr(progress, "state_dir", lambda: state_dir)

    def save(state):
        finding = Finding("no-stop-consumer", "It went on.", line=12) if state == "red" else None
        outcome = Outcome("test_a", "It stops.", state, finding)
        progress.save_verdict(find("stop"), Verdict("03-stop", "exercise", (outcome,)))

    yield save
    (state_dir / "progress.json").unlink(missing_ok=True)


def next_step(page):
    return page.page.locator("#next-step > *")


def test_one_step_is_shown_at_a_time_and_named_in_the_address(visit):
    page = visit("03-stop")
    shown = page.page.locator(".step.shown")
    expect(shown).to_have_id("step-predict")
    page.show("Do")
    expect(shown).to_have_id("step-do")
    assert page.page.url.endswith("#do")
    page.page.go_back()
    expect(shown).to_have_id("step-predict")


def test_a_link_to_a_heading_opens_its_step(visit):
    page = visit("03-stop").page
    page.goto(f"{page.url}#where-it-bites")
    expect(page.get_by_role("heading", name="Where it bites")).to_be_in_viewport()


def test_the_next_step_leads_through_a_lesson(visit):
    page = visit("03-stop")
    expect(next_step(page)).to_have_text("Predict")
    page.show("See")
    expect(next_step(page)).to_have_text("Connect")
    next_step(page).click()
    page.expect_status("Open.")
    expect(next_step(page)).to_have_text("Do the exercise")
    next_step(page).click()
    expect(page.page.locator("#step-do")).to_be_visible()
    expect(next_step(page)).to_have_text("Complete line 20")
    expect(page.page.locator(".primary:visible")).to_have_count(1)


def test_the_next_step_after_a_red_verdict_is_the_line_to_fix(visit, verdict):
    verdict("red")
    page = visit("03-stop").show("See")
    expect(next_step(page)).to_have_text("Fix line 12")
    next_step(page).click()
    expect(page.page.locator("#step-do")).to_be_visible()


def test_the_next_step_after_a_green_verdict_is_the_next_lesson(visit, verdict):
    verdict("green")
    page = visit("03-stop")
    expect(next_step(page)).to_have_text("Next lesson: 4 communicator")
    next_step(page).click()
    expect(page.page).to_have_title("4 · A test that can fail")


def test_the_exercise_shows_its_task_its_todos_and_a_path_to_copy(visit):
    page = visit("03-stop").show("Do").page
    exercise = page.get_by_role("region", name="Your exercise")
    expect(exercise).to_contain_text("Each connection is its own game")
    expect(exercise.locator(".todos a")).to_have_text(["line 20", "line 27"])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    exercise.get_by_role("button", name="Copy the path").click()
    expect(exercise.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "work/03_stop.py"


def test_the_finding_stands_in_its_tab_and_on_a_narrow_page_below_the_outcomes(visit, verdict):
    verdict("red")
    page = visit("03-stop").page
    finding = page.locator("#finding")
    expect(page.locator("#tab-verdict #finding")).to_have_count(1)
    page.locator(".to-finding a").click()
    expect(finding).to_be_visible()
    page.set_viewport_size(PHONE["viewport"])
    expect(page.locator("#verdict #finding")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(page.locator("#tab-verdict #finding")).to_have_count(1)


def test_the_diagram_has_most_of_the_column_on_a_small_laptop(visit):
    page = visit("03-stop", **SMALL_LAPTOP)
    page.connect()
    assert page.page.evaluate(SHARE) >= 0.6
    assert page.page.locator("#details-tabs").bounding_box()["height"] > 100


def test_tabs_are_chosen_with_the_arrow_keys_and_stay_collapsed(visit):
    page = visit("03-stop", reduced_motion="reduce").page
    page.get_by_role("tab", name="Source").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Browser")).to_be_focused()
    expect(page.locator("#tab-browser")).to_be_visible()
    expect(page.locator("#tab-source")).to_be_hidden()
    page.get_by_role("button", name="Collapse").click()
    page.reload()
    expect(page.locator("#tab-panels")).to_be_hidden()
    page.get_by_role("tab", name="Source").click()
    expect(page.locator("#tab-source")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "key", "part", "size"),
    [("Width of the text", "ArrowRight", "#main", "width"),
     ("Height of the tabs", "ArrowUp", "#details-tabs", "height")],
)  # fmt: skip
def test_a_divider_moves_with_the_keyboard_and_the_pointer(visit, name, key, part, size):
    page = visit("03-stop", viewport={"width": 1440, "height": 900}).page
    divider = page.get_by_role("separator", name=name)
    before = page.locator(part).bounding_box()[size]
    divider.focus()
    for _ in range(3):
        page.keyboard.press(key)
    larger = page.locator(part).bounding_box()[size]
    assert larger > before + 40
    page.reload()
    assert page.locator(part).bounding_box()[size] == pytest.approx(larger, abs=1)
    x, y, *_ = divider.bounding_box().values()
    page.mouse.move(x + 4, y + 4)
    page.mouse.down()
    page.mouse.move(x + 64, y - 56, steps=3)
    page.mouse.up()
    assert page.locator(part).bounding_box()[size] == pytest.approx(larger + 60, abs=8)
    divider.dblclick()
    assert page.locator(part).bounding_box()[size] == pytest.approx(before, abs=1)


def test_on_a_phone_the_wire_is_a_step(visit):
    page = visit("03-stop", **PHONE)
    expect(page.page.locator("#wire")).to_be_hidden()
    page.show("See")
    next_step(page).click()
    page.expect_status("Open.")
    expect(page.page.locator("#diagram")).to_be_in_viewport(ratio=0.9)
    expect(page.page.locator("#step-see")).to_be_hidden()
