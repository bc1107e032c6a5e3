"""The chat's page in a real Chromium: two users, a lost connection, the keyboard, markup."""

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations, violations_in_both_schemes
from tests.support.lesson_page import errors_of, log_in

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class ChatPage:
    """What a user does in a room, and what the page shows."""

    def __init__(self, page, address):
        self.page, self.address, self.errors = page, address, errors_of(page)
        self.sockets, self.is_down = [], False

    def enter(self, room, status="Connected."):
        self.page.goto(f"{self.address}/chat/{room}/")
        self.expect_status(status)
        return self

    def say(self, text):
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def expect_status(self, text):
        expect(self.page.get_by_role("status")).to_have_text(text)

    def expect_said(self, *texts):
        expect(self.page.locator(".said")).to_have_text(list(texts))

    def expect_here(self, *names):
        expect(self.page.locator("#here li")).to_have_text(list(names))

    def allow_cuts(self):
        """Let the test cut the page's connections from now on."""
        self.page.route_web_socket("**/ws/chat/**", self._forward)
        return self

    def _forward(self, socket):
        if self.is_down:
            socket.close(code=1012)
        else:
            self.sockets.append((socket, socket.connect_to_server()))

    def cut_off(self):
        self.is_down = True
        for end in self.sockets.pop():
            end.close(code=4999)


@pytest.fixture
def user(browser, address):
    """`user()`, `user("instructor")`: the window of a user, each with its own session.

    At the end no console may have an error.
    """
    users, contexts = [], []

    def start(name=""):
        contexts.append(browser.new_context(color_scheme="light", reduced_motion="reduce"))
        users.append(ChatPage(contexts[-1].new_page(), address))
        if name:
            log_in(users[-1].page, address, name)
        return users[-1]

    yield start
    for context in contexts:
        context.close()
    assert [one.errors for one in users] == [[] for _ in users]


def test_two_users_talk_see_who_is_here_and_markup_is_shown_as_text(user):
    guest, teacher = user().enter("talk"), user("instructor").enter("talk")
    teacher.expect_here("instructor", "1 guest")
    teacher.say(HOSTILE)
    guest.expect_said(HOSTILE)
    guest.say("\u202eevil")
    error = "A message must not contain control characters."
    expect(guest.page.get_by_role("alert")).to_have_text(error)
    expect(guest.page.get_by_label("Message", exact=True)).to_have_value("\u202eevil")
    guest.say("hi")
    guest.page.reload()
    for page in (teacher, guest):
        page.expect_said(HOSTILE, "hi")
        expect(page.page.locator(".by")).to_have_text(["instructor", "guest"])
        assert page.page.locator("#messages :is(script, img)").count() == 0


def test_a_page_reconnects_and_shows_missed_messages(user):
    one, other = user().allow_cuts().enter("lost"), user().enter("lost")
    other.say("before")
    one.expect_said("before")
    one.cut_off()
    expect(one.page.get_by_role("status")).to_contain_text("Reconnecting")
    one.say("written while away")
    other.say("missed")
    other.expect_said("before", "missed")
    one.is_down = False
    for page in (one, other):
        page.expect_said("before", "missed", "written while away")
    expect(one.page.locator(".missed")).to_have_text("You missed:")


def test_a_room_can_be_used_with_the_keyboard_alone_and_has_no_axe_violations(user):
    guest = user()
    page, press = guest.page, guest.page.keyboard.press
    page.goto(f"{guest.address}/chat/")
    assert violations(page) == []
    page.get_by_label("Go to a room").focus()
    page.keyboard.type("keys")
    press("Enter")
    guest.expect_status("Connected.")
    reached = []
    while "text" not in reached:
        press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        assert len(reached) < 10
    assert "log" in reached
    page.keyboard.type("one")
    press("Shift+Enter")
    page.keyboard.type("two")
    press("Enter")
    guest.expect_said("one\ntwo")
    assert violations_in_both_schemes(page) == []
