"""A shared workshop in a real browser: another host name, through nginx with TLS."""

from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.real.browser.conftest import OTHER_HOST as HOST
from tests.support.axe import violations
from tests.support.lesson_page import LessonPage, log_in, write_in_page
from tests.support.programs.nginx import free_port, nginx_for
from tests.support.programs.project_commands import workshop_copy


@pytest.fixture
def shared(tmp_path):
    """The address of a shared workshop behind nginx, its token, and the workshop."""
    with ExitStack() as stack:
        port = free_port()
        options = ("--no-reload", "--port", str(port), "--share", HOST)
        workshop = stack.enter_context(workshop_copy(*options, DJANGO_HTTPS="proxy"))
        host, _, token = workshop.address.partition("/?token=")
        assert host == f"https://{HOST}"
        front = stack.enter_context(nginx_for((free_port(), port), tmp_path))
        yield f"https://{HOST}:{front}", token, workshop


def test_a_stranger_enters_the_token_and_uses_the_shared_workshop(browser, shared):
    address, token, workshop = shared
    with browser.new_context(color_scheme="light", reduced_motion="reduce") as context:
        page = context.new_page()
        guest = LessonPage(page, address)
        assert page.goto(f"{address}/lessons/03-stop/").status == 403
        expect(page.get_by_role("heading")).to_have_text("This workshop needs a token")
        assert violations(page) == []
        guest.errors.clear()  # the browser reports the 403
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/lessons/03-stop/")
        [cookie] = [one for one in page.context.cookies() if one["name"].startswith("workshop")]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
        guest.show("See").connect()
        guest.send("hello")
        expect(page.locator("#diagram")).to_contain_text("You said: hello")
        guest.show("Do")
        write_in_page(page, "work/03_stop.py", workshop.exercise("stop").solved)
        page.keyboard.press("Control+s")
        expect(page.locator("#verdict .state")).to_have_text("green")
        page.goto(f"{address}/auth/login/")
        shown = page.locator(".quiet code").all_text_contents()
        passwords = dict(zip(shown[::2], shown[1::2], strict=True))
        assert f"student (password {passwords['student']})" in workshop.output
        assert passwords["student"] != "student"
        log_in(page, address, "student", passwords["student"])
        assert (guest.errors, guest.foreign_requests) == ([], [])
