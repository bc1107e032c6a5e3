"""The board of a class in a real Chromium, with a real room and the sockets of real students."""

import itertools
import json
import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.support.axe import violations, violations_in_both_schemes
from tests.support.board_page import BoardPage
from tests.support.cut_text import cut_at_each_width
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.standings import standing

NUMBERS = itertools.count(2)  # of the classes; the room begins with Class 1
MARKUP = '<img src=x onerror="document.title=1">'


class Student:
    """The machine of a student who has joined."""

    def __init__(self, room, stack, name, code):
        status, answer = room.ask("/room/join/", {"code": code, "name": name})
        assert status == 200, answer
        joined = json.loads(answer)
        address = f"{room.url.replace('http', 'ws')}/room/student/"
        headers = {"Authorization": f"Bearer {joined['token']}"}
        self.socket = stack.enter_context(connect(address, additional_headers=headers, proxy=None))
        self.socket.recv(TEST_TIMEOUT)  # the state: now the student is connected

    def say(self, type, **values):
        self.socket.send(json.dumps({"type": type, **values}))

    def report(self, **values):
        self.say(**standing(**values))


class Classroom(BoardPage):
    """A class of a running room, its students, and an instructor's page with the board."""

    def __init__(self, room, page, stack):
        super().__init__(room, page)
        self.stack = stack

    def student(self, name):
        joined = Student(self.room, self.stack, name, self.code)
        expect(self.tile(name)).to_have_count(1)
        return joined

    def names(self):
        return self.page.locator(".tile h3").all_inner_texts()


@pytest.fixture(scope="module")
def window(browser):
    """One browser session for all tests, so that the instructor signs in once."""
    with browser.new_context(reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def classroom(room, window):
    with ExitStack() as stack:
        page = stack.enter_context(window.new_page())
        page.add_init_script("localStorage.clear()")  # the board keeps its view there
        made = Classroom(room, page, stack)
        made.create_class(f"Class {next(NUMBERS)}")
        yield made
        assert made.errors == []


@pytest.fixture
def three(classroom):
    """Ann is red, Ben is green, Cleo has begun nothing."""
    ann, ben, cleo = (classroom.student(name) for name in ("Ann", "Ben", "Cleo"))
    ann.report(hints=2)
    ben.report(state="green", was_green=True)
    expect(classroom.tile("Ben")).to_have_attribute("data-state", "green")
    return ann, ben, cleo


def test_a_report_changes_its_tile_and_a_raised_hand_moves_it_with_its_focus(classroom, three):
    page, tiles = classroom.page, classroom.page.locator(".tile")
    assert classroom.names() == ["Ann", "Cleo", "Ben"]  # red, not started, green
    for name in ("Ann", "Ben"):
        classroom.tile(name).evaluate("tile => tile.dataset.mine = 'yes'")
    three[1].report(lesson="group")
    expect(classroom.tile("Ben")).to_have_attribute("data-state", "red")
    expect(classroom.tile("Ben")).to_contain_text("12 group")
    expect(page.locator("[data-mine]")).to_have_count(2)  # no tile was made again
    link = page.get_by_role("link", name="Cleo")
    link.focus()
    three[2].say("hand", text="Why 1006?")
    expect(tiles.first).to_contain_text("Why 1006?")
    expect(link).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Lower hand")).to_be_focused()
    page.keyboard.press("Enter")
    expect(tiles.last).to_contain_text("Cleo")
    page.locator("#by-lesson").select_option("stop")
    expect(classroom.tile("Ben")).to_have_attribute("data-state", "green")
    for counter in ("All 3", "Red 1", "Green 1"):
        expect(page.get_by_role("button", name=counter)).to_be_visible()


def test_names_and_findings_with_markup_are_text(classroom):
    student = classroom.student(MARKUP)
    claims = [{"claim": MARKUP, "state": "red"}]
    student.report(diagnosis=MARKUP, title=MARKUP, message=MARKUP, claims=claims)
    student.say("hand", text=MARKUP)
    expect(classroom.tile(MARKUP).locator(".headline")).to_have_text(MARKUP)
    expect(classroom.tile(MARKUP).locator(".sentence")).to_have_text(MARKUP)
    expect(classroom.page.locator("#mistakes button")).to_have_text(f"1 {MARKUP}")
    classroom.page.get_by_role("button", name="Grid").click()
    expect(classroom.page.locator("#grid .real-name")).to_have_text(MARKUP)
    classroom.page.get_by_role("link", name="Lesson 3: red").click()
    expect(classroom.page.locator(".claimed .outcomes")).to_contain_text(MARKUP)
    assert classroom.page.locator("img").count() == 0


def test_todays_lessons_are_columns_and_the_slide_counts_who_is_green(classroom, three):
    page = classroom.page
    classroom.press("Grid")
    classroom.press("Plan")
    dialog = page.get_by_role("dialog")
    for box in dialog.get_by_role("checkbox").all():
        box.set_checked(box.get_attribute("value") in ("stop", "group"))
    dialog.get_by_role("button", name="Set the plan").click()
    expect(page.locator("#grid thead th")).to_have_text(["Student", "3", "12"])
    classroom.press("Everyone look here")
    expect(dialog.locator("[name=lesson]")).to_have_value(re.compile("stop|group"))
    dialog.locator("[name=lesson]").select_option("stop")
    classroom.press("Point there")
    with page.context.new_page() as slide:
        slide.goto(f"{page.url}slide/")
        expect(slide.get_by_role("heading", level=1)).to_contain_text("3 ")
        expect(slide.locator("#slide-green")).to_have_text("1 of 3 green")
        expect(slide.locator(".class-code")).to_have_text(classroom.code)
        assert violations_in_both_schemes(slide) == []
        assert cut_at_each_width(slide) == {}
        assert "Ann" not in slide.content()


def test_a_student_is_removed_after_a_question_with_the_keyboard(classroom, three):
    page = classroom.page
    opener = page.get_by_role("button", name="Remove student")
    dialog = page.get_by_role("dialog", name="Remove student")
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Student")).to_be_focused()
    expect(dialog.get_by_label("Student")).to_have_value("")  # so Enter removes no student
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Student")).to_be_focused()
    page.keyboard.type("Ben")
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#answer")).to_have_text("The student was removed.")
    expect(page.locator(".tile")).to_have_count(2)
    expect(classroom.tile("Ben")).to_have_count(0)


def test_reconnects_with_a_fresh_snapshot_unless_the_login_has_ended(window, classroom, three):
    page, sockets = classroom.page, []

    def pass_on(socket):
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/ws/room/board/"), pass_on)
    page.clock.install()
    page.reload()
    expect(page.locator(".tile")).to_have_count(3)
    sockets[0].close(code=1011)
    three[0].report(state="green", was_green=True)
    expect(classroom.tile("Ann")).to_have_attribute("data-state", "green")
    expect(page.locator("#connection")).to_have_text("connected")
    window.clear_cookies()
    sockets[1].close(code=1011)
    text = "You are not logged in any more. Reload the page."
    expect(page.locator("#connection")).to_have_text(text)
    page.clock.run_for(5000)  # longer than the pause before a page connects again
    assert len(sockets) == 3


def test_the_board_and_its_dialogs_have_no_axe_violations_and_are_not_cut(classroom, three):
    page = classroom.page
    three[0].say("hand", text="Why?")
    expect(page.locator(".tile.raised")).to_have_count(1)
    for view in ("Grid", "Tiles"):
        classroom.press(view)
        expect(page.locator(f"#{view.lower()}")).to_be_visible()  # drawn in a later frame
        assert violations_in_both_schemes(page) == []
        assert cut_at_each_width(page) == {}
    tools = ("Message to all", "Everyone look here", "Ask", "Ask from a lesson", "Timer")
    for name in (*tools, "Plan"):
        classroom.press(name)
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        if name in ("Everyone look here", "Ask from a lesson"):  # the lessons are loaded
            expect(dialog.locator("[name=lesson] option")).not_to_have_count(0)
        assert (name, violations(page, "dialog[open]")) == (name, [])
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
