"""The chat's page in a real Chromium: two users, the keyboard, markup."""

from contextlib import ExitStack

from playwright.sync_api import expect

from tests.support.axe import violations, violations_in_both_schemes
from tests.support.lesson_page import errors_of, log_in

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def field(page):
    return page.get_by_label("Message", exact=True)


def expect_connected(page):
    expect(page.get_by_role("status")).to_have_text("Connected.")


def enter_with_the_keyboard(page, address):
    page.goto(f"{address}/chat/")
    assert violations(page) == []
    page.get_by_label("Go to a room").focus()
    page.keyboard.type("talk")
    page.keyboard.press("Enter")
    expect_connected(page)
    reached = []
    while "text" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        assert len(reached) < 10
    assert "log" in reached


def test_two_users_talk_one_with_the_keyboard_alone_and_markup_is_shown_as_text(browser, address):
    with ExitStack() as stack:
        options = {"color_scheme": "light", "reduced_motion": "reduce"}
        guest, teacher = (
            stack.enter_context(browser.new_context(**options)).new_page() for _ in range(2)
        )
        errors = errors_of(guest), errors_of(teacher)
        enter_with_the_keyboard(guest, address)
        log_in(teacher, address, "instructor")
        teacher.goto(f"{address}/chat/talk/")
        expect_connected(teacher)
        expect(teacher.locator("#here li")).to_have_text(["instructor", "1 guest"])
        field(teacher).fill(HOSTILE)
        field(teacher).press("Enter")
        expect(guest.locator(".said")).to_have_text([HOSTILE])
        guest.keyboard.insert_text("\u202eevil")
        guest.keyboard.press("Enter")
        error = "A message must not contain control characters."
        expect(guest.get_by_role("alert")).to_have_text(error)
        expect(field(guest)).to_have_value("\u202eevil")
        for key in ("Control+a", "o", "n", "e", "Shift+Enter", "t", "w", "o", "Enter"):
            guest.keyboard.press(key)
        expect(teacher.locator(".said")).to_have_text([HOSTILE, "one\ntwo"])
        guest.reload()
        for page in (teacher, guest):
            expect(page.locator(".said")).to_have_text([HOSTILE, "one\ntwo"])
            expect(page.locator(".by")).to_have_text(["instructor", "guest"])
            assert page.locator("#messages :is(script, img)").count() == 0
        assert violations_in_both_schemes(guest) == []
        assert errors == ([], [])
