"""The chat's page in a real Chromium: two users, a lost connection, the keyboard, markup."""

from functools import cache

import pytest
from playwright.sync_api import expect

from tests.support.axe import colors, violations

TEACHER = "instructor"
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class ChatPage:
    """What a user does in a room, and what the page shows."""

    def __init__(self, page, address):
        self.page, self.address, self.errors = page, address, []
        self.sockets, self.is_down = [], False
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self.errors.append(line.text))

    def enter(self, room, status="Connected."):
        self.page.goto(f"{self.address}/chat/{room}/")
        self.expect_status(status)
        return self

    def log_in(self, name):
        self.page.goto(f"{self.address}/admin/login/?next=/chat/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(name)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_text(f"You are {name}.")).to_be_visible()
        self.errors.clear()  # the admin has no icon
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


@pytest.fixture(scope="module")
def windows(browser, address):
    """Windows by user, open for all tests: a new one takes as much time as a whole test."""
    contexts = []

    @cache
    def window(name):
        contexts.append(browser.new_context())
        page = ChatPage(contexts[-1].new_page(), address)
        return page.log_in(name) if name == TEACHER else page

    yield window
    for context in contexts:
        context.close()


@pytest.fixture
def user(windows):
    """`user(TEACHER)`, `user("guest")`: the window of a user, each with its own session.

    At the end no console may have an error.
    """
    users = []

    def start(name="guest"):
        users.append(windows(name))
        users[-1].errors.clear()
        return users[-1]

    yield start
    for one in users:
        one.page.goto("about:blank")
    assert [one.errors for one in users] == [[] for _ in users]


@pytest.fixture
def cut_off(user, address):
    """A guest's window whose connections the test can cut."""
    page = user("guest").page.context.new_page()
    yield ChatPage(page, address).allow_cuts()
    page.close()


def test_two_users_talk_and_see_who_is_here(user):
    guest = user().enter("talk")
    teacher = user(TEACHER).enter("talk")
    teacher.expect_here("instructor", "1 guest")
    teacher.say("hello")
    guest.expect_said("hello")
    guest.say("hi")
    for page in (teacher, guest):
        page.expect_said("hello", "hi")
        expect(page.page.locator(".by")).to_have_text(["instructor", "guest"])


def test_markup_in_a_message_is_shown_as_text(user):
    writer, reader = user().enter("markup"), user(TEACHER).enter("markup")
    writer.say(HOSTILE)
    for page in (writer, reader):
        page.expect_said(HOSTILE)
    reader.page.reload()
    reader.expect_said(HOSTILE)
    assert reader.page.locator("#messages :is(script, img)").count() == 0


def test_a_page_reconnects_and_shows_missed_messages(user, cut_off):
    one, other = cut_off.enter("lost"), user().enter("lost")
    other.say("before")
    one.expect_said("before")
    one.cut_off()
    expect(one.page.get_by_role("status")).to_contain_text("Reconnecting")
    one.say("written while away")
    other.say("missed")
    other.expect_said("before", "missed")
    one.is_down = False
    one.expect_said("before", "missed", "written while away")
    other.expect_said("before", "missed", "written while away")
    expect(one.page.locator(".missed")).to_have_text("You missed:")


def test_a_rejected_message_can_be_changed_and_sent_again(user):
    one = user().enter("refused")
    one.say("\u202eevil")
    error = "A message must not contain control characters."
    expect(one.page.get_by_role("alert")).to_have_text(error)
    expect(one.page.get_by_label("Message", exact=True)).to_have_value("\u202eevil")
    one.say("good")
    one.expect_said("good")
    expect(one.page.get_by_role("alert")).to_have_text("")


def test_a_room_can_be_used_with_the_keyboard_alone(user):
    guest = user()
    guest.page.goto(f"{guest.address}/chat/")
    guest.page.get_by_label("Go to a room").focus()
    guest.page.keyboard.type("keys")
    guest.page.keyboard.press("Enter")
    guest.expect_status("Connected.")
    reached = []
    while "text" not in reached:
        guest.page.keyboard.press("Tab")
        reached.append(guest.page.evaluate("document.activeElement.id"))
        assert len(reached) < 10
    assert "log" in reached
    guest.page.keyboard.type("one")
    guest.page.keyboard.press("Shift+Enter")
    guest.page.keyboard.type("two")
    guest.page.keyboard.press("Enter")
    guest.expect_said("one\ntwo")
    assert guest.page.evaluate("document.activeElement.id") == "text"


def test_a_room_has_no_axe_violations_in_light_or_dark(user):
    guest = user().enter("axe")
    guest.say("hello")
    guest.expect_said("hello")
    for leave in (lambda: guest.page.goto(f"{guest.address}/chat/"), lambda: None):
        guest.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        assert violations(guest.page) == []
        guest.page.emulate_media(color_scheme="dark")
        assert colors(guest.page) == []
        leave()
    guest.page.emulate_media(color_scheme="null", reduced_motion="null")
