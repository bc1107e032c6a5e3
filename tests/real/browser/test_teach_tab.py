"""The tab of the instructor's page, and links that carry steps."""

from playwright.sync_api import expect

from tests.support.axe import violations
from tests.support.browser_login import log_in

LINK = "?target=mistake:DoesNotRaise#step=connect&step=close"


def test_a_student_is_asked_to_sign_in_as_an_instructor(visit):
    lesson = visit("03-stop")
    lesson.show_tab("Teach")
    panel = lesson.page.get_by_role("tabpanel", name="Teach")
    expect(panel).to_contain_text("This page is for instructors. Sign in as one")
    assert len(lesson.errors) == 1  # the browser reports the answer 403
    lesson.errors.clear()


def test_an_instructor_plays_a_transcript_of_the_page_in_the_diagram(visit, address):
    lesson = visit("03-stop", viewport={"width": 1440, "height": 900})
    log_in(lesson.page, address, "instructor")
    lesson.open("03-stop").show_tab("Teach")
    panel = lesson.page.get_by_role("tabpanel", name="Teach")
    expect(panel.get_by_role("heading", name="Usual mistakes")).to_be_visible()
    panel.get_by_role("button", name="Play connect, text 7").click()
    expect(lesson.page.locator("#saved-title")).to_have_text(
        "Played on the mistake StopsWithoutAClose: connect · text 7"
    )
    expect(lesson.page.locator("#diagram .label").last).to_have_text("finished")
    expect(lesson.page.locator("#source-title")).to_contain_text("mistakes.py")
    assert violations(lesson.page, "#wire") == []
    lesson.press("Back to live")
    expect(lesson.page.locator("#diagram .row")).to_have_count(0)


def test_a_link_shows_its_steps_and_plays_them_only_when_asked(visit):
    lesson = visit("03-stop", viewport={"width": 1440, "height": 900})
    page = lesson.page
    page.goto(f"{page.url}{LINK}")
    offer = page.locator(".linked-steps")
    expect(offer).to_contain_text("This link plays on the mistake DoesNotRaise: connect · close")
    expect(page.locator("#diagram .row")).to_have_count(0)
    lesson.press("Play these steps")
    expect(page.locator("#diagram .label").last).to_have_text("cancelled")
    expect(offer).to_have_count(0)


def test_a_link_with_an_unknown_step_says_so(visit):
    lesson = visit("03-stop", viewport={"width": 1440, "height": 900})
    page = lesson.page
    page.goto(f"{page.url}?a#step=dance%3Cimg%3E")
    expect(page.locator(".linked-steps")).to_contain_text("The step 'dance<img>' is unknown")
    expect(page.get_by_role("button", name="Play these steps")).to_have_count(0)
    lesson.errors.clear()  # the browser reports the answer 400


def test_a_copied_link_offers_what_was_played(visit):
    lesson = visit(
        "03-stop",
        viewport={"width": 1440, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = lesson.page
    lesson.press("Copy link")
    expect(page.locator("#file-status")).to_contain_text("Nothing has been played yet.")
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
