"""What a student sees of a class: a real room, a real workshop, two browser sessions."""

import itertools
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations, violations_in_both_schemes
from tests.support.board_page import BoardPage
from tests.support.cut_text import WIDTHS, cut
from tests.support.lesson_page import LessonPage, write_in_page

NUMBERS = itertools.count(1)  # of the names; a name is taken in the class as long as it lasts
MARKUP = '<img src=x onerror="document.title=1">'
REFUSED = "Failed to load resource: the server responded with a status of 400 (Bad Request)"


@pytest.fixture
def board(room, browser):
    """The instructor's page with the board of the class."""
    with browser.new_context(reduced_motion="reduce") as context:
        opened = BoardPage(room, context.new_page())
        opened.open_classes()
        opened.page.get_by_role("link", name="Class 1", exact=True).click()
        opened.expect_connected()
        yield opened


@pytest.fixture
def open_page(browser, address):
    """`open_page("/")`: a page of the student's workshop, in a session that only this test has."""
    with browser.new_context(reduced_motion="reduce") as context:
        opened = []

        def start(path):
            opened.append(LessonPage(context.new_page(), address))
            opened[-1].page.goto(address + path)
            return opened[-1].page

        yield start
        for one in opened:
            assert (set(one.errors) - {REFUSED}, one.foreign_requests) == (set(), [])


@pytest.fixture
def member(room, browser, address):
    """The workshop has joined the class. At the end it leaves."""
    with browser.new_context() as context:
        context.request.get(address)
        [token] = [one["value"] for one in context.cookies() if one["name"] == "csrftoken"]

        def post(path, **fields):
            form = {"csrfmiddlewaretoken": token, **fields}
            answer = context.request.post(address + path, form=form, max_redirects=0)
            assert answer.status == 302

        post("/class/", url=room.url, code=room.code, name=f"Ann {next(NUMBERS)}")
        yield
        post("/class/leave/")


def bar(page):
    return page.get_by_role("region", name="Your class", exact=True)


def message(page):
    return page.get_by_role("region", name="From your instructor")


def test_joins_corrects_a_wrong_code_and_leaves_with_the_keyboard_alone(room, open_page):
    page, lesson = open_page("/"), open_page("/lessons/03-stop/")
    expect(bar(lesson)).to_be_hidden()
    key, write, section = page.keyboard.press, page.keyboard.insert_text, page.locator("#class")
    section.locator("summary").focus()
    key("Enter")
    for text in (room.url, "AAAA-AAAA", "Kim"):
        key("Tab")
        write(text)
    key("Tab")
    key("Space")
    key("Enter")
    code = page.get_by_label("Class code")
    expect(code).to_be_focused()
    expect(code).to_have_accessible_description(
        "No class has this code. Ask your instructor for it."
    )
    expect(page.get_by_label("Address of the room")).to_have_value(room.url)
    assert violations(page, "#class") == []
    key("Control+a")
    write(room.code)
    key("Enter")
    expect(page.get_by_role("heading", name="Your class: Class 1")).to_be_visible()
    expect(section).to_contain_text("the code of your exercises")
    for one in (page, lesson):
        expect(bar(one)).to_contain_text("connected")
    assert violations(page, "#class") == []
    section.locator("summary").focus()
    for name in ("Enter", "Tab", "Enter"):
        key(name)
    expect(page.get_by_role("heading", name="Join a class")).to_be_visible()
    for one in (page, lesson):
        expect(bar(one)).to_be_hidden()


def test_look_here_opens_the_place_but_leaves_unsaved_text_alone(member, board, open_page):
    home, page = open_page("/"), open_page("/lessons/03-stop/#do")
    write_in_page(page, "work/03_stop.py", "unsaved = True\n")
    expect(page.locator("#editor[data-changed]")).to_have_count(1)
    board.choose_lesson("Everyone look here", "accept")
    board.press("Point there")
    home.wait_for_url("**/lessons/01-accept/")
    link = bar(page).get_by_role("link", name="Look here: lesson 1 accept")
    expect(link).to_be_visible()
    assert "03-stop" in page.url
    questions = []
    page.on("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
    link.click()
    page.wait_for_url("**/lessons/01-accept/")
    assert questions == ["beforeunload"]
    board.press("Stop pointing")


def test_a_full_bar_is_reached_with_the_keyboard_has_no_axe_violations_and_is_not_cut(
    member, board, open_page
):
    board.press("Message to all")
    board.page.get_by_role("textbox", name="Text").fill(MARKUP + "Look at line 3. " * 20)
    board.press("Send")
    with ExitStack() as stack:
        board.choose_lesson("Everyone look here", "stop")
        board.press("Point there")
        stack.callback(board.press, "Stop pointing")
        board.choose_lesson("Ask from a lesson", "stop")
        board.page.get_by_role("dialog").get_by_role("button", name="Ask the class").click()
        stack.callback(board.press, "End the question")
        page = open_page("/lessons/03-stop/")
        poll = "lesson 3 stop, question 1 (vote now)"
        expect(bar(page)).to_contain_text(poll)
        expect(message(page).locator("p")).to_contain_text(MARKUP)
        for part in ("#class-bar", "#class-message"):
            assert violations_in_both_schemes(page, part) == []
        assert {width: rest for width in WIDTHS if (rest := cut(page, width))} == {}
        bar(page).get_by_role("link").first.focus()
        for name in (poll, "What do you need?", "Raise your hand", "Dismiss"):
            page.keyboard.press("Tab")
            expect(page.locator(":focus")).to_have_accessible_name(name)
        page.keyboard.press("Enter")
        expect(message(page)).to_have_count(0)


def test_a_hand_has_a_sentence_and_its_button_says_what_it_does(member, board, open_page):
    page = open_page("/lessons/03-stop/")
    page.get_by_label("What do you need?").fill("Why 1006?")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_accessible_name("Lower your hand")
    expect(board.page.locator(".sentence").filter(has_text="Why 1006?")).to_have_count(1)
    expect(board.page.locator(".tile.raised .lesson")).to_have_text("3 stop")
    page.get_by_role("button", name="Lower your hand").click()
    expect(board.page.locator(".tile.raised")).to_have_count(0)


def test_a_question_that_the_instructor_wrote_is_answered_in_the_bar(member, board, open_page):
    page = open_page("/")
    board.press("Ask")
    dialog = board.page.get_by_role("dialog")
    lines = ["Which one?", "A: the first", "B: the second"]
    dialog.get_by_label("Question").fill("\n".join(lines))
    dialog.get_by_label("Answers").fill("A, B, C, D")
    dialog.get_by_role("button", name="Ask the class").click()
    bar(page).get_by_role("button", name="B", exact=True).click()
    expect(board.page.locator("#poll-state")).to_contain_text("1 of ")
    board.press("Close the vote")
    expect(board.page.locator("#poll .count")).to_have_text(
        ["0 · 0 %", "1 · 100 %", "0 · 0 %", "0 · 0 %"]
    )
    expect(bar(page)).to_contain_text("closed")
    with board.page.context.new_page() as slide:
        slide.goto(f"{board.page.url}slide/")
        expect(slide.locator(".count")).to_have_count(4)
        assert {width: rest for width in WIDTHS if (rest := cut(slide, width))} == {}
        for asked in (
            *(one.locator(".poll-question") for one in (slide, board.page)),
            bar(page).locator(".class-ask > span").first,
        ):
            assert asked.inner_text().splitlines() == lines
    board.press("End the question")
    expect(bar(page).locator(".class-ask")).to_have_count(0)
