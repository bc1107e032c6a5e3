"""How a student joins a class on the first page or in a terminal, while the workshop runs."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import LessonPage
from tests.browser.test_nothing_is_cut import WIDTHS, cut

from tests.support.axe import violations
from tests.support.programs.room_program import RunningRoom, room_clone
from tests.support.workshop_copy import workshop_copy

REFUSED = "Failed to load resource: the server responded with a status of 400 (Bad Request)"


@pytest.fixture(scope="module")
def room(chromium):
    with room_clone() as clone, RunningRoom(clone) as running:
        yield running


@pytest.fixture(scope="module")
def shared_workshop(chromium):
    with workshop_copy("--no-reload") as made:
        yield made


@pytest.fixture
def workshop(shared_workshop):
    """A workshop in no class. It leaves the class that the test has joined."""
    yield shared_workshop
    if (shared_workshop.folder / ".workshop/room.json").exists():
        shared_workshop.project.run("manage.py", "workshop", "--leave")


@pytest.fixture
def visit(workshop, browser):
    """`visit("/")`: a page of the workshop, in a session that only this test has."""
    with browser.new_context(reduced_motion="reduce") as context:
        opened = []

        def start(path="/"):
            one = LessonPage(context.new_page(), workshop.address)
            opened.append(one)
            one.page.goto(workshop.address + path)
            return one.page

        yield start
        for one in opened:
            assert (set(one.errors) - {REFUSED}, one.foreign_requests) == (set(), [])


def bar(page):
    return page.get_by_role("region", name="Your class", exact=True)


def section(page):
    return page.locator("#class")


def fill_form(page, room, code, name):
    section(page).locator("summary").click()
    page.get_by_label("Address of the room").fill(room.url)
    page.get_by_label("Class code").fill(code)
    page.get_by_label("Your name in the class").fill(name)


def press(page, name):
    """Press a button of the section. The old page may show the new state before it is replaced."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def send_form(page):
    press(page, "Join the class")


def test_joins_corrects_a_wrong_code_and_leaves_with_the_keyboard_alone(room, visit):
    page = visit()
    press, write = page.keyboard.press, page.keyboard.insert_text
    section(page).locator("summary").focus()
    press("Enter")
    for text in (room.url, "AAAA-AAAA", "Kim"):
        press("Tab")
        write(text)
    for _ in range(2):
        press("Tab")
    press("Space")
    press("Enter")
    code = page.get_by_label("Class code")
    expect(code).to_be_focused()
    expect(code).to_have_accessible_description(
        "No class has this code. Ask your instructor for it."
    )
    expect(page.get_by_label("Address of the room")).to_have_value(room.url)
    expect(page.get_by_label("Your name in the class")).to_have_value("Kim")
    expect(page.get_by_label("Share the code of my exercises")).to_be_checked()
    press("Control+a")
    write(room.code)
    press("Enter")
    expect(page.get_by_role("heading", name="Your class: Class 1")).to_be_visible()
    expect(section(page)).to_contain_text("Your name there is Kim.")
    expect(section(page)).to_contain_text("the code of your exercises")
    expect(bar(page)).to_contain_text("connected")
    section(page).locator("summary").focus()
    press("Enter")
    press("Tab")
    press("Enter")
    expect(page.get_by_role("heading", name="Join a class")).to_be_visible()
    expect(bar(page)).to_be_hidden()


def test_a_name_that_is_taken_is_returned_to_with_the_place_code(room, visit):
    page = visit()
    fill_form(page, room, room.code, "Lea")
    send_form(page)
    place = section(page).locator("code").text_content()
    section(page).locator("summary").click()
    press(page, "Leave the class")
    expect(page.get_by_role("heading", name="Join a class")).to_be_visible()
    fill_form(page, room, room.code, "Lea")
    send_form(page)
    expect(page.get_by_label("Your name in the class")).to_be_focused()
    page.get_by_label("Place code").fill(place)
    send_form(page)
    expect(section(page)).to_contain_text("Your name there is Lea.")
    expect(section(page).locator("code")).to_have_text(place)


def test_a_workshop_that_runs_sees_at_once_what_a_terminal_does(room, workshop, visit):
    home, lesson = visit(), visit("/lessons/03-stop/")
    expect(bar(lesson)).to_be_hidden()
    port = workshop.address.rpartition(":")[2]
    join = ("--join", room.url, room.code, "--name", "Max", "--port", port)
    printed = workshop.project.run("manage.py", "workshop", *join)
    assert printed.splitlines()[-1] == (
        "The workshop that runs in this folder reports to the class now."
    )
    for page in (home, lesson):
        expect(bar(page)).to_contain_text("connected")
        expect(bar(page).get_by_role("button", name="Raise your hand")).to_have_css(
            "border-top-style", "solid"
        )
    expect(section(home)).to_contain_text("Your name there is Max.")
    workshop.project.run("manage.py", "workshop", "--leave")
    for page in (home, lesson):
        expect(bar(page)).to_be_hidden()
    expect(section(home)).to_contain_text("Join a class")


@pytest.mark.parametrize("is_member", [False, True], ids=["form", "member"])
def test_the_form_and_the_class_have_no_axe_violations_and_are_not_cut(room, visit, is_member):
    page = visit()
    name = "Wolfeschlegelsteinhausenbergerdorff " + "Jo"
    fill_form(page, room, room.code if is_member else "AAAA-AAAA", name)
    send_form(page)
    expect(section(page)).to_contain_text(name if is_member else "No class has this code.")
    if is_member:
        section(page).locator("summary").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page, "#class") == []
    assert {width: rest for width in WIDTHS if (rest := cut(page, width))} == {}
