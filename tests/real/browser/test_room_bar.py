"""What a student sees of a class: a real room, a real workshop that has joined it, two browsers."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import LessonPage
from tests.browser.test_nothing_is_cut import WIDTHS, cut

from tests.support.axe import violations
from tests.support.programs.room_program import RunningRoom, room_clone
from tests.support.workshop_copy import workshop_copy, write_in_page

MARKUP = '<img src=x onerror="document.title=1"> Look at line 3.'


@pytest.fixture(scope="module")
def room(chromium):
    with room_clone() as clone, RunningRoom(clone) as running:
        yield running


@pytest.fixture(scope="module")
def workshop(room):
    """A workshop that has joined the class of the room."""
    options = ("--join", room.url, room.code, "--name", "Ann")
    with workshop_copy("--no-reload", *options) as made:
        yield made


@pytest.fixture
def board(room, browser):
    """The instructor's page with the board of the class."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"{room.url}/room/")
        page.get_by_label("Username").fill("instructor")
        page.get_by_label("Password").fill(room.password)
        page.get_by_role("button", name="Sign in").click()
        page.locator("main a[href^='/room/board/']").first.click()
        expect(page.locator("#connection")).to_have_text("connected")
        yield page


@pytest.fixture
def visit(workshop, browser):
    """`visit("/")`: a page of the student's workshop, in a session that only this test has."""
    with browser.new_context(reduced_motion="reduce") as context:
        opened = []

        def start(path):
            one = LessonPage(context.new_page(), workshop.address)
            opened.append(one)
            one.page.goto(workshop.address + path)
            expect(bar(one.page)).to_contain_text("connected")
            return one.page

        yield start
        assert [(one.errors, one.foreign_requests) for one in opened] == [([], []) for _ in opened]


def bar(page):
    return page.get_by_role("region", name="Your class", exact=True)


def message(page):
    return page.get_by_role("region", name="From your instructor")


def send(board, text):
    board.get_by_role("button", name="Message to all").click()
    board.get_by_label("Text").fill(text)
    board.get_by_role("button", name="Send", exact=True).click()


def point_at(board, lesson, mistake):
    board.get_by_role("button", name="Everyone look here").click()
    board.get_by_role("dialog").locator("[name=lesson]").select_option(lesson)
    board.get_by_label("A mistake, beside the solution").select_option(mistake)
    board.get_by_role("button", name="Point there").click()


@pytest.mark.parametrize("path", ["/", "/lessons/03-stop/", "/search/"])
def test_each_page_says_which_class_the_workshop_is_in(room, visit, path):
    expect(bar(visit(path)).locator(".class-name")).to_have_text("Class 1")


def test_a_message_arrives_as_text_and_is_dismissed_on_all_pages(board, visit):
    first, second = visit("/"), visit("/lessons/03-stop/")
    send(board, MARKUP)
    for page in (first, second):
        expect(message(page).locator("p")).to_have_text(MARKUP)
        assert page.locator("img[src=x]").count() == 0
    assert violations(second, "#class-message") == []
    message(second).get_by_role("button", name="Dismiss").click()
    for page in (first, second):
        expect(message(page)).to_have_count(0)


def test_a_hand_reaches_the_board_with_the_keyboard_and_goes_down_again(board, visit):
    page = visit("/lessons/03-stop/")
    hand = page.get_by_role("button", name="Raise your hand")
    hand.focus()
    page.keyboard.press("Enter")
    expect(hand).to_have_attribute("aria-pressed", "true")
    expect(board.locator(".tile.raised")).to_contain_text("Ann")
    page.keyboard.press("Enter")
    expect(hand).to_have_attribute("aria-pressed", "false")
    expect(board.locator(".tile.raised")).to_have_count(0)


def test_look_here_opens_the_mistake_beside_the_solution(board, visit):
    page = visit("/")
    point_at(board, "stop", "DoesNotRaise")
    page.wait_for_url("**/lessons/03-stop/#mistake-DoesNotRaise")
    expect(bar(page).get_by_role("link", name="Look here: lesson 3 stop")).to_be_visible()


def test_look_here_leaves_a_page_with_unsaved_text_alone(board, visit, workshop):
    page = visit("/lessons/03-stop/#do")
    write_in_page(page, "work/03_stop.py", "unsaved = True\n")
    expect(page.locator("#editor[data-changed]")).to_have_count(1)
    point_at(board, "accept", "")
    link = bar(page).get_by_role("link", name="Look here: lesson 1 accept")
    expect(link).to_be_visible()
    assert "03-stop" in page.url
    questions = []
    page.on("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
    link.click()
    page.wait_for_url("**/lessons/01-accept/")
    assert questions == ["beforeunload"]


def test_an_open_page_shows_at_once_what_is_held_and_released(board, visit):
    page = visit("/lessons/03-stop/#do")
    hint = page.get_by_role("button", name="Show a hint")
    hint.focus()
    board.get_by_role("button", name="Hints and solutions").click()
    board.get_by_label("Hold hints of 3 stop").check()
    help_text = page.locator("#exercise .help")
    expect(help_text).to_contain_text("Hints: Your instructor has not released this yet.")
    expect(page.locator("#announcement")).to_have_text("Your instructor holds back the hints.")
    expect(hint).to_have_count(0)
    expect(page.get_by_role("heading", name="Verdict")).to_be_focused()
    board.get_by_label("Hold solutions of all lessons").check()
    expect(help_text).to_contain_text("Solution: Your instructor has not released this yet.")
    board.get_by_label("Hold solutions of all lessons").uncheck()
    # Two releases that arrive during one load of the panel are announced together.
    expect(help_text).not_to_contain_text("Solution: Your instructor has not released this yet.")
    board.get_by_label("Hold hints of 3 stop").uncheck()
    expect(hint).to_be_visible()
    expect(page.locator("#announcement")).to_have_text("Your instructor has released the hints.")
    expect(help_text).not_to_contain_text("not released")


def test_a_release_is_not_lost_while_the_page_loads_what_is_held(board, visit, workshop):
    page = visit("/lessons/03-stop/#do")
    part, routes = f"{workshop.address}/lessons/03-stop/exercise/", []
    page.route(part, lambda route: routes.append(route), times=1)
    held = page.locator("#class-bar")
    board.get_by_role("button", name="Hints and solutions").click()
    with page.expect_request(part):
        board.get_by_label("Hold hints of 3 stop").check()
    old = page.request.get(part, headers={"X-Part": "exercise"}).text()
    assert 'data-held="hints"' in old
    board.get_by_label("Hold hints of 3 stop").uncheck()
    expect(held).to_have_attribute("data-held", '{"hints":[],"solutions":[]}')
    [route] = routes
    route.fulfill(body=old, content_type="text/html")
    expect(page.locator("#announcement")).to_have_text("Your instructor has released the hints.")
    expect(page.get_by_role("button", name="Show a hint")).to_be_visible()


def test_the_timer_counts_down(board, visit):
    page = visit("/")
    board.get_by_role("button", name="Timer").click()
    board.get_by_label("For what?").fill("Predict")
    board.get_by_role("button", name="Start", exact=True).click()
    timer = bar(page).get_by_role("timer")
    expect(timer).to_contain_text("9:5")
    expect(timer).to_contain_text("Predict")
    board.get_by_role("button", name="End the timer").click()
    expect(timer).to_have_count(0)


@pytest.fixture
def full_bar(board, visit):
    """A page whose bar has all that it can have, and a long message."""
    send(board, "Look at line 3. " * 20)
    board.get_by_role("button", name="Timer").click()
    board.get_by_label("For what?").fill("Predict, then discuss with your neighbour")
    board.get_by_role("button", name="Start", exact=True).click()
    point_at(board, "stop", "DoesNotRaise")
    board.get_by_role("button", name="Poll", exact=True).click()
    board.get_by_role("dialog").locator("[name=lesson]").select_option("stop")
    board.get_by_role("button", name="Open the poll").click()
    page = visit("/lessons/03-stop/")
    expect(bar(page)).to_contain_text("Poll: lesson 3 stop, question 1 (vote now)")
    yield page
    for name in ("End the poll", "Stop pointing", "End the timer"):
        board.get_by_role("button", name=name).click()
    expect(bar(page).get_by_role("link")).to_have_count(0)


def test_a_full_bar_and_a_message_have_no_axe_violations_and_are_not_cut(full_bar):
    for scheme in ("light", "dark"):
        full_bar.emulate_media(color_scheme=scheme)
        for part in ("#class-bar", "#class-message"):
            assert (scheme, part, violations(full_bar, part)) == (scheme, part, [])
    assert {width: rest for width in WIDTHS if (rest := cut(full_bar, width))} == {}
    message(full_bar).get_by_role("button", name="Dismiss").click()
    expect(message(full_bar)).to_have_count(0)


def test_the_keyboard_reaches_the_whole_bar_and_dismisses_a_message(full_bar):
    bar(full_bar).get_by_role("link").first.focus()
    for name in ("Poll: lesson 3 stop, question 1 (vote now)", "Raise your hand", "Dismiss"):
        full_bar.keyboard.press("Tab")
        expect(full_bar.locator(":focus")).to_have_accessible_name(name)
    full_bar.keyboard.press("Enter")
    expect(message(full_bar)).to_have_count(0)


def test_the_header_below_the_bar_is_one_line_at_each_width(full_bar):
    for width in WIDTHS:
        full_bar.set_viewport_size({"width": width, "height": 800})
        home = full_bar.locator(".top .home").bounding_box()
        assert (width, home["height"] < 40) == (width, True)
    message(full_bar).get_by_role("button", name="Dismiss").click()
    expect(message(full_bar)).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/lessons/03-stop/"])
def test_the_bar_has_no_axe_violations_and_is_not_cut(visit, path):
    page = visit(path)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page, "#class-bar") == []
    assert {width: rest for width in WIDTHS if (rest := cut(page, width))} == {}


def test_the_class_votes_on_a_question_twice_and_sees_that_it_is_closed(board, visit):
    page = visit("/")
    board.get_by_role("button", name="Poll", exact=True).click()
    board.get_by_role("dialog").locator("[name=lesson]").select_option("stop")
    board.get_by_role("button", name="Open the poll").click()
    link = bar(page).locator(".class-poll")
    expect(link).to_have_text("Poll: lesson 3 stop, question 1 (vote now)")
    link.click()
    page.wait_for_url("**/lessons/03-stop/#question-1")
    asked = page.get_by_role("region", name="Question 1", exact=True)
    asked.locator(".start").click()
    vote = asked.get_by_role("button", name="Send as my vote")
    vote.focus()
    page.keyboard.press("Enter")
    expect(board.locator("#poll-state")).to_have_text("open · 1 of 1 have voted")
    expect(link).to_have_text("Poll: lesson 3 stop, question 1 (you have voted)")
    expect(asked.locator(".status")).to_contain_text("You have voted in this round.")
    expect(vote).to_have_count(0)
    expect(asked.get_by_role("button", name="Check")).to_be_focused()
    assert violations(page, "#class-bar") == []
    board.get_by_role("button", name="Close", exact=True).click()
    expect(link).to_contain_text("(closed)")
    board.get_by_role("button", name="Vote again").click()
    expect(link).to_contain_text("question 1, round 2 (vote now)")
    vote.click()
    expect(board.locator("#poll-state")).to_have_text("round 2, open · 1 of 1 have voted")
    board.get_by_role("button", name="Close", exact=True).click()
    board.get_by_role("button", name="Show the answer").click()
    expect(link).to_contain_text("(the answer is shown)")
    board.get_by_role("button", name="End the poll").click()
    expect(link).to_be_hidden()
