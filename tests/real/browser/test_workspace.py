"""The lesson's page as one workspace: predict, see, play, compare, teach, show."""

import re

from playwright.sync_api import expect

from tests.support.axe import violations
from tests.support.lesson_page import log_in

SMALL_LAPTOP = {"viewport": {"width": 1366, "height": 640}}
RIGHT = [
    'client → websocket.receive  text: "hello"',
    'client ← websocket.send  text: "You said: hello"',
    "client → websocket.disconnect  code: None",
    "consumer · finished",
]
LINE = "Below this line: never comes"


def in_order(asked):
    """The labels of the cards in their order, with the line between them."""
    return asked.locator(".cards > li").evaluate_all(
        """items => items.map(item => item.querySelector("button")
            ?.getAttribute("aria-label").replace("Up: ", "") ?? item.textContent)"""
    )


def test_an_order_can_be_predicted_and_checked_with_the_keyboard_alone(visit):
    page = visit("03-stop", color_scheme="dark").page
    asked = page.get_by_role("region", name="Question 2", exact=True)
    asked.get_by_role("button", name="Put the events in order").press("Enter")
    expect(asked.locator(".card")).to_have_count(6)
    for place, label in enumerate(RIGHT):
        asked.get_by_role("button", name=f"Up: {label}", exact=True).focus()
        for _ in range(in_order(asked).index(label) - place):
            page.keyboard.press("Enter")
    for label in in_order(asked)[4:6]:
        asked.get_by_role("button", name=f"Down: {label}", exact=True).focus()
        for _ in range(in_order(asked).index(LINE) - in_order(asked).index(label)):
            page.keyboard.press("Enter")
    assert in_order(asked)[:5] == [*RIGHT, LINE]
    asked.get_by_role("button", name="Check").press("Enter")
    expect(asked.locator(".status")).to_have_text("Right. These are the events:")
    expect(asked.get_by_role("slider", name="The events, as a diagram")).to_be_visible()
    assert violations(page, "#predict") == []


def test_the_next_step_leads_through_a_lesson(visit, exercise):
    page = visit("03-stop")
    following = page.page.locator("#next-step > *")
    expect(following).to_have_text("Predict")
    page.show("See")
    assert page.page.url.endswith("#see")
    page.page.go_back()
    expect(page.page.locator(".step.shown")).to_have_id("step-predict")
    page.show("See")
    expect(following).to_have_text("Connect")
    following.click()
    page.expect_status("Open.")
    expect(following).to_have_text("Do the exercise")
    following.click()
    expect(following).to_have_text("Complete line 20")
    expect(page.page.locator(".primary:visible")).to_have_count(1)
    exercise.save(exercise.solved)
    expect(following).to_have_text("Next lesson: 4 communicator (optional)")


def test_a_diagram_is_filtered_paused_and_linked_to_its_source(visit):
    page = visit("12-group")
    labels = page.page.locator("#diagram .row:not([data-lane=database]) .label")
    page.connect()
    page.send("hello")
    page.press("Close")
    page.press("Enlarge")  # the diagram draws visible rows only
    expect(labels.last).to_have_text("finished")
    page.press("View")
    page.page.get_by_label("Filter").fill("accept send -layer")
    expect(labels).to_have_text(["websocket.accept", 'websocket.send "now playing: hello"'])
    page.page.get_by_label("Filter").fill("")
    expect(labels).to_have_count(11)
    page.press("Step back")
    expect(labels.last).to_have_text(re.compile("^group_discard"))
    page.expect_highlighted("websocket_disconnect")
    page.press("Pause")
    labels.nth(4).click()
    page.page.get_by_role("link", name="Event 1.").click()
    expect(page.page).to_have_url(re.compile(r"#event-1\.\d+$"))
    page.page.reload()
    expect(page.page.locator("#details pre")).to_contain_text('"type": "websocket.receive"')
    page.expect_highlighted("websocket_receive")


def test_p_shows_only_the_diagram_and_the_code_in_large_type(visit):
    lesson = visit("03-stop", **SMALL_LAPTOP)
    page = lesson.page
    page.keyboard.press("P")
    expect(page.get_by_role("navigation", name="Lessons")).to_be_hidden()
    lesson.connect()
    for part in (page.get_by_label("Payload"), page.locator("#source"), page.locator("#diagram")):
        expect(part).to_be_in_viewport(ratio=1)
    expect(page.locator("#diagram .label").first).to_have_css("font-size", "20.8px")
    assert violations(page, "#wire") == []
    page.keyboard.press("Escape")
    expect(page.locator("#main")).to_be_visible()


def test_another_target_disconnects_the_clients_and_a_mistake_is_explained(visit):
    page = visit("12-group")
    page.connect()
    page.page.get_by_label("Playing:").select_option("mistake:ForgetsTheLength")
    expect(page.page.locator("#played-state")).to_have_text("Ready.")
    page.expect_status("Not connected.")
    expect(page.page.locator("#events tr")).to_have_count(0)
    page.connect(path=f"/ws/layers/group/{'x' * 120}/", state="refused")
    expect(page.page.locator("#played-finding summary")).to_contain_text("mistakes.py, line")
    page.errors.clear()
    expect(page.page.locator("#target [value=solution]")).to_be_disabled()  # it was never green


def test_a_link_to_a_mistake_compares_it_with_the_solution(visit):
    page = visit("03-stop", color_scheme="dark").page
    page.goto(f"{page.url}#mistake-StopsWithoutAClose")
    compare = page.get_by_role("region", name="Compare with a mistake")
    expect(compare).to_contain_text("Played: connect · text 7. The first difference is marked.")
    right = compare.get_by_role("figure", name="The solution")
    wrong = compare.get_by_role("figure", name="The mistake")
    expect(right.locator(".event-text")).to_have_text('{"type": "websocket.close", "code": 1000}')
    expect(wrong.locator(".event-text")).to_have_text('{"type": "finished"}')
    assert violations(page, "#compare") == []
    expect(page.get_by_text("Their code appears here when your exercise")).to_be_visible()
    expect(page.locator(".code-pane .line")).to_have_count(0)


def test_an_instructor_plays_a_transcript_of_the_teaching_page_and_compares_code(visit, address):
    lesson = visit("03-stop", viewport={"width": 1440, "height": 900})
    page = lesson.page
    lesson.show_tab("Teach")
    panel = page.get_by_role("tabpanel", name="Teach")
    expect(panel).to_contain_text("This page is for instructors. Sign in as one")
    lesson.errors.clear()  # the browser reports the answer 403
    log_in(page, address, "instructor")
    lesson.open("03-stop").show_tab("Teach")
    panel.get_by_role("button", name="Play connect, text 7").click()
    expect(page.locator("#saved-title")).to_have_text(
        "Played on the mistake StopsWithoutAClose: connect · text 7"
    )
    expect(page.locator("#source-title")).to_contain_text("mistakes.py")
    page.goto(f"{address}/lessons/03-stop/#mistake-CountsForEveryone")
    wrong = page.get_by_role("figure", name="The mistake")
    expect(wrong.locator("pre .line.differs[data-line]").first).to_contain_text(
        "CountsForEveryone.tries = 3"
    )


def test_a_copied_link_offers_what_was_played_and_plays_it_only_when_asked(visit):
    lesson = visit("03-stop", permissions=["clipboard-read", "clipboard-write"])
    page = lesson.page
    page.evaluate("performance.now = () => 0")  # a slow answer would add a wait to the steps
    lesson.connect()
    lesson.send("7 & a|b")
    lesson.expect_browser_log("open", 'message "You said: 7 & a|b"')
    lesson.press("Copy link")
    expect(page.locator("#file-status")).to_have_text("The link is copied.")
    link = page.evaluate("() => navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator(".linked-steps code")).to_have_text(r'connect · text "7 & a\u007cb"')
    expect(page.locator("#diagram .row")).to_have_count(0)
    lesson.press("Play these steps")
    expect(page.locator("#diagram .label").last).to_contain_text("You said: 7 & a|b")
