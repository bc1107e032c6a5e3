"""A class at work: a real room, two real workshops, and their pages."""

from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import expect

from tests.support.axe import violations_in_both_schemes
from tests.support.board_page import BoardPage
from tests.support.cut_text import cut, cut_at_each_width
from tests.support.lesson_page import LessonPage, write_in_page
from tests.support.programs.project_commands import workshop_copy
from tests.support.submissions import bubblewrap

NAMES = ("Ann", "Ben")
MARKUP = '<img src=x onerror="document.title=1">'
MISTAKE = "The consumer did not stop when its client had left"
STOP = "        raise StopConsumer()\n"
# Boxes of the poll: three clients who receive the first song, then those who receive the second.
HALF, RIGHT = (0, 1), (0, 1, 3, 5)


class Student:
    """A student's workshop, and a page of it in the students' browser."""

    def __init__(self, name, workshop, browser):
        self.name, self.workshop = name, workshop
        self.exercise = workshop.exercise("stop")
        self.page = browser.new_context(reduced_motion="reduce").new_page()
        self.observed = LessonPage(self.page, workshop.address)

    def join(self, url, code, shares_code):
        self.page.goto(self.workshop.address)
        self.page.get_by_role("heading", name="Join a class").click()
        for label, value in (
            ("Address of the room", url),
            ("Class code", code),
            ("Your name in the class", self.name),
        ):
            self.page.get_by_label(label).fill(value)
        self.page.get_by_label("Share the code of my exercises").set_checked(shares_code)
        self.page.get_by_role("button", name="Join the class").click()
        self.open("/")

    def open(self, path):
        self.page.goto(self.workshop.address + path)
        expect(self.bar.locator(".class-link")).to_have_text("connected")

    def break_exercise(self):
        """Save the solution with the mistake that MISTAKE names."""
        self.exercise.save(self.exercise.solved.replace(STOP, "        pass\n"))

    @property
    def bar(self):
        return self.page.get_by_role("region", name="Your class", exact=True)

    @property
    def question(self):
        return self.page.get_by_role("region", name="Question 1", exact=True)

    def vote(self, boxes):
        for number in boxes:
            self.question.get_by_role("checkbox").nth(number).check()
        self.question.get_by_role("button", name="Send as my vote").click()
        expect(self.bar.locator(".class-poll")).to_contain_text("you have voted")


class Board(BoardPage):
    """The board of a new class."""

    def expect_tile(self, student, state, lesson="3 stop"):
        expect(self.tile(student.name)).to_have_attribute("data-state", state)
        expect(self.tile(student.name).locator(".lesson")).to_have_text(lesson)

    def expect_poll(self, text):
        expect(self.page.locator("#poll-state")).to_have_text(text)


@pytest.fixture
def board(room, browser):
    with browser.new_context(reduced_motion="reduce") as context:
        opened = Board(room, context.new_page())
        opened.create_class("Monday")
        yield opened


@pytest.fixture
def students(room, board, browser):
    """Ann, who shares her code, and Ben, each with a workshop in a separate folder."""
    bubblewrap()  # the room judges Ann's code in it
    with ExitStack() as stack:
        workshops = [stack.enter_context(workshop_copy("--no-reload")) for _ in NAMES]
        students = [Student(*both, browser) for both in zip(NAMES, workshops, strict=True)]
        for student in students:
            student.join(room.url, board.code, shares_code=student.name == "Ann")
        yield students
        for workshop in workshops:  # all at once: each needs some seconds to end
            workshop.process.terminate()


def test_a_class_works_on_a_lesson_and_votes(board, students):
    a_mistake_is_red_and_its_repair_green(board, *students)
    hints_are_held_and_released(board, students[0])
    a_timer_runs_and_stays_at_its_end(board, students)
    all_look_at_a_lesson_but_unsaved_text_is_left_alone(board, *students)
    a_hand_has_a_sentence_and_can_be_lowered(board, students[0])
    a_full_bar_is_usable(board, students[0])
    a_question_of_the_instructor_is_answered_in_the_bar(board, students[0])
    the_class_votes(board, students)
    a_deleted_class_ends_for_all(board, students)
    assert board.errors == []
    for student in students:
        assert (student.observed.errors, student.observed.foreign_requests) == ([], [])


def a_mistake_is_red_and_its_repair_green(board, ann, ben):
    mistakes = board.page.locator("#mistakes button")
    for number, student in enumerate((ann, ben), 1):
        student.break_exercise()
        board.expect_tile(student, "red")
        expect(board.tile(student.name).locator(".headline")).to_have_text(MISTAKE)
        expect(mistakes).to_have_text(f"{number} {MISTAKE}")
    the_code_is_judged_again_with_names_hidden(board)
    ann.exercise.save(ann.exercise.solved)
    board.expect_tile(ann, "green")
    mistakes.click()  # shows only the students who make it
    expect(board.page.locator(".tile")).to_have_count(1)
    mistakes.click()
    expect(board.page.locator(".tile")).to_have_count(2)


def the_code_is_judged_again_with_names_hidden(board):
    page = board.page
    # A slow script: a press before it runs would leave the page.
    page.route("**/student.js", lambda route: (page.wait_for_timeout(500), route.continue_()))
    board.press("Hide names")
    page.get_by_role("link", name="Student 1", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Student 1", use_inner_text=True)
    code = page.get_by_role("region", name="The code", exact=True).locator("pre")
    expect(code).to_contain_text("def websocket_disconnect")
    board.press("Judge it again")
    expect(page.locator("#judge-status")).to_have_text(
        "The claim holds: it is red here too.", timeout=60_000
    )
    expect(page.locator("#judged .finding h3")).to_contain_text(MISTAKE)
    expect(page.locator("#compare-wrong [role=slider]")).to_be_visible()
    solution = page.get_by_role("figure", name="The solution")
    expect(solution.locator(".code-pane")).to_contain_text("raise StopConsumer()")
    assert "Ann" not in page.locator("body").inner_text() + page.title()
    page.get_by_role("link", name="Monday", exact=True).click()
    board.expect_connected()
    names = page.locator(".tile h3")
    expect(names).to_have_text(["Student 1", "Student 2"], use_inner_text=True)
    board.press("Hide names")
    expect(names).to_have_text(list(NAMES), use_inner_text=True)


def hints_are_held_and_released(board, ann):
    ann.page.goto(f"{ann.workshop.address}/lessons/12-group/#do")
    board.press("Hold hints")
    ann.page.locator("#help > summary").click()
    expect(ann.page.locator(".held")).to_contain_text("has not released this yet")
    expect(ann.page.get_by_role("button", name="Show a hint")).to_have_count(0)
    hold = board.page.get_by_role("button", name="Hold hints")
    expect(hold).to_have_attribute("aria-pressed", "true")
    hold.click()
    ann.page.get_by_role("button", name="Show a hint").click()
    expect(ann.page.locator(".hint h3")).to_have_text("Hint 1 of 3")
    board.expect_tile(ann, "reading", "12 group")
    expect(board.tile(ann.name).locator(".facts")).to_have_text("1 hint")


def a_timer_runs_and_stays_at_its_end(board, students):
    board.press("Timer")
    board.page.get_by_label("Minutes").evaluate(
        "box => Object.assign(box, {min: 0, step: 'any', value: 0.01})"
    )
    board.page.get_by_label("For what?").fill("Predict")
    board.press("Start")
    expect(board.page.locator("#timer")).to_contain_text("0:00 Predict")
    for student in students:
        expect(student.bar.get_by_role("timer")).to_have_text("0:00 Predict")
    board.press("End the timer")
    for student in students:
        expect(student.bar.get_by_role("timer")).to_have_count(0)


def all_look_at_a_lesson_but_unsaved_text_is_left_alone(board, ann, ben):
    ben.open("/lessons/03-stop/#do")
    write_in_page(ben.page, "work/03_stop.py", "unsaved = True\n")
    expect(ben.page.locator("#editor[data-changed]")).to_have_count(1)
    board.choose_lesson("Everyone look here", "accept")
    board.press("Point there")
    ann.page.wait_for_url("**/lessons/01-accept/")
    link = ben.bar.get_by_role("link", name="Look here: lesson 1 accept")
    expect(link).to_be_visible()
    assert "03-stop" in ben.page.url
    questions = []
    ben.page.once("dialog", lambda dialog: (questions.append(dialog.type), dialog.accept()))
    link.click()
    ben.page.wait_for_url("**/lessons/01-accept/")
    assert questions == ["beforeunload"]
    board.press("Stop pointing")


def a_hand_has_a_sentence_and_can_be_lowered(board, ann):
    ann.open("/lessons/03-stop/")
    ann.page.get_by_label("What do you need?").fill("Why 1006?")
    ann.page.keyboard.press("Enter")
    expect(ann.page.locator(":focus")).to_have_accessible_name("Lower your hand")
    expect(board.tile("Ann").locator(".sentence").filter(has_text="Why 1006?")).to_have_count(1)
    expect(board.page.locator(".tile.raised .lesson")).to_have_text("3 stop")
    ann.page.get_by_role("button", name="Lower your hand").click()
    expect(board.page.locator(".tile.raised")).to_have_count(0)


def a_full_bar_is_usable(board, ann):
    """With the keyboard, with a screen reader, and at each width."""
    ann.open("/")
    board.press("Message to all")
    board.page.get_by_role("textbox", name="Text").fill(MARKUP + "Look at line 3. " * 20)
    board.press("Send")
    board.choose_lesson("Everyone look here", "stop")
    board.press("Point there")
    ann.page.wait_for_url("**/lessons/03-stop/")
    board.choose_lesson("Ask from a lesson", "stop")
    board.press("Ask the class")
    poll = "lesson 3 stop, question 1 (vote now)"
    expect(ann.bar).to_contain_text(poll)
    message = ann.page.get_by_role("region", name="From your instructor")
    expect(message.locator("p")).to_contain_text(MARKUP)
    for part in ("#class-bar", "#class-message"):
        assert violations_in_both_schemes(ann.page, part) == []
    assert cut_at_each_width(ann.page) == {}
    ann.bar.get_by_role("link").first.focus()
    for name in (poll, "What do you need?", "Raise your hand", "Dismiss"):
        ann.page.keyboard.press("Tab")
        expect(ann.page.locator(":focus")).to_have_accessible_name(name)
    ann.page.keyboard.press("Enter")
    expect(message).to_have_count(0)
    board.press("End the question")
    board.press("Stop pointing")


def a_question_of_the_instructor_is_answered_in_the_bar(board, ann):
    board.press("Ask")
    dialog = board.page.get_by_role("dialog")
    lines = ["Which one?", "A: the first", "B: the second"]
    dialog.get_by_label("Question").fill("\n".join(lines))
    dialog.get_by_label("Answers").fill("A, B, C, D")
    board.press("Ask the class")
    ann.bar.get_by_role("button", name="B", exact=True).click()
    board.expect_poll("open · 1 of 2 have voted")
    board.press("Close the vote")
    counts = ["0 · 0 %", "1 · 100 %", "0 · 0 %", "0 · 0 %"]
    expect(board.page.locator("#poll .count")).to_have_text(counts)
    expect(ann.bar).to_contain_text("closed")
    with slide_of(board.page) as slide:
        expect(slide.locator(".count")).to_have_count(4)
        assert cut_at_each_width(slide) == {}
        asked = [one.locator(".poll-question") for one in (slide, board.page)]
        for shown in (*asked, ann.bar.locator(".class-ask > span").first):
            assert shown.inner_text().splitlines() == lines
    board.press("End the question")
    expect(ann.bar.locator(".class-ask")).to_have_count(0)


def the_class_votes(board, students):
    board.choose_lesson("Ask from a lesson", "group")
    board.press("Ask the class")
    for student in students:
        student.bar.get_by_role("link", name="question 1 (vote now)").click()
        student.page.wait_for_url("**/lessons/12-group/#question-1")
        student.question.get_by_role("button", name="Tick what arrives").click()
        expect(student.question.get_by_role("button", name="Send as my vote")).to_be_visible()
        expect(student.question.get_by_role("button", name="Check")).to_have_count(0)
    for student, boxes in zip(students, (RIGHT, HALF), strict=True):
        student.vote(boxes)
    board.expect_poll("open · 2 of 2 have voted")
    board.press("Close the vote")
    bars = ["2 · 100 %", "2 · 100 %", "0 · 0 %", "1 · 50 %", "0 · 0 %", "1 · 50 %"]
    expect(board.page.locator("#poll .chart .count")).to_have_text(bars)
    board.press("Show the answer")
    expect(board.page.locator("#poll-because")).to_contain_text("The sender is a member too.")
    expect(board.page.locator("#poll-diagram [role=slider]")).to_be_visible()
    with slide_of(board.page) as slide:
        expect(slide.locator(".slide-poll .sign")).to_have_count(6)
        assert violations_in_both_schemes(slide) == []
        assert cut_at_each_width(slide) == {}
        assert cut(slide, 1280, 720) == []
        assert slide.evaluate("document.documentElement.scrollHeight") <= 720
    for student in students:
        expect(student.bar.locator(".class-poll")).to_contain_text("the answer is shown")
        expect(student.question.get_by_role("button", name="Check")).to_be_visible()
    board.press("End the question")
    for student in students:
        expect(student.bar.locator(".class-poll")).to_be_hidden()


@contextmanager
def slide_of(page):
    with page.context.new_page() as slide:
        slide.goto(f"{page.url}slide/")
        yield slide


def a_deleted_class_ends_for_all(board, students):
    with board.page.context.new_page() as other:
        other.goto(f"{board.page.url}delete/")
        other.get_by_label("Type the name of the class").fill("Monday")
        other.get_by_role("button", name="Delete the class").click()
        expect(other.get_by_role("heading", name="New class")).to_be_visible()
    expect(board.page.locator("#connection")).to_have_text("This class was deleted.")
    for student in students:
        expect(student.bar.locator(".class-link")).to_have_text(
            "the class has ended, or your instructor has removed you"
        )
