"""A shared and a deployed server in a real browser: another host name, through nginx with TLS."""

from contextlib import ExitStack
from threading import Thread

import pytest
from playwright.sync_api import expect

from tests.real.browser.conftest import OTHER_HOST as HOST
from tests.support.axe import violations
from tests.support.lesson_page import log_in, visitor, write_in_page
from tests.support.modes import DEPLOYED, SHARED
from tests.support.programs.nginx import (
    free_port,
    listens,
    nginx_for,
)
from tests.support.programs.project_commands import workshop_copy
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until

HTTPS = {"DJANGO_HTTPS": "proxy", "DJANGO_ALLOWED_HOSTS": HOST}
PASSWORD = "a long password of this test"
USERS = f"""
from django.contrib.auth.models import User
User.objects.create_user("ann", password={PASSWORD!r})
User.objects.create_superuser("root", password={PASSWORD!r})
"""


def talk(one, other, room):
    """Both enter the room of the chat, and each receives what the other says."""
    said = [("hello", one), ("hi", other)]
    for each in (one, other):
        each.page.goto(f"{each.address}/chat/{room}/")
        expect(each.page.get_by_role("status")).to_have_text("Connected.")
    for number, (text, speaker) in enumerate(said, 1):
        speaker.page.get_by_label("Message", exact=True).fill(text)
        speaker.page.keyboard.press("Enter")
        for each in (one, other):
            expect(each.page.locator(".said")).to_have_text([text for text, _ in said[:number]])


# A shared workshop


@pytest.fixture(scope="module")
def shared(browser, tmp_path_factory):
    """The address of a shared workshop behind nginx, its token, and the workshop."""
    with ExitStack() as stack:
        port = free_port()
        options = ("--no-reload", "--port", str(port))
        workshop = stack.enter_context(workshop_copy(*options, **SHARED | HTTPS))
        host, _, token = workshop.address.partition("/?token=")
        assert host == f"https://{HOST}"
        folder = tmp_path_factory.mktemp("nginx")
        front = stack.enter_context(nginx_for((free_port(), port), folder))
        yield f"https://{HOST}:{front}", token, workshop


def test_a_stranger_enters_the_token_which_becomes_a_cookie(browser, shared):
    address, token, _ = shared
    with visitor(browser, address, color_scheme="light") as stranger:
        page = stranger.page
        assert page.goto(f"{address}/lessons/03-stop/").status == 403
        expect(page.get_by_role("heading")).to_have_text("This workshop needs a token")
        assert violations(page) == []
        stranger.errors.clear()  # the browser reports the 403
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{address}/lessons/03-stop/")
        [cookie] = [one for one in page.context.cookies() if one["name"].startswith("workshop")]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")


def test_a_shared_workshop_shows_events_judges_a_save_and_users_talk(browser, shared):
    address, token, workshop = shared
    with visitor(browser, address) as guest, visitor(browser, address) as other:
        for one in (guest, other):
            one.page.goto(f"{address}/?token={token}")
        guest.open("03-stop").connect()
        guest.send("hello")
        expect(guest.page.locator("#events")).to_contain_text("You said: hello")
        guest.show("Do")
        write_in_page(guest.page, "work/03_stop.py", workshop.exercise("stop").solved)
        guest.page.keyboard.press("Control+s")
        expect(guest.page.locator("#verdict .state")).to_have_text("green")
        guest.page.goto(f"{address}/auth/login/")
        shown = guest.page.locator(".quiet code").all_text_contents()
        passwords = dict(zip(shown[::2], shown[1::2], strict=True))
        assert passwords["student"] != "student"
        log_in(guest.page, address, "student", passwords["student"])
        talk(guest, other, "shared")


# A deployed server


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The address of a Daphne behind nginx, as README.md starts it, with tables and users."""
    port = free_port()
    with project_copy() as project:
        project.environment.update(DEPLOYED | HTTPS)
        project.run("manage.py", "migrate")
        project.run("manage.py", "shell", "-c", USERS)
        options = ("-b", "127.0.0.1", "-p", str(port))
        process = project.start("-m", "daphne", *options, "lessons.asgi:application")
        reader = Thread(target=process.stdout.read, daemon=True)  # a full pipe would stop it
        reader.start()
        try:
            wait_until(lambda: listens(port))
            with nginx_for((free_port(), port), tmp_path_factory.mktemp("nginx")) as front:
                yield f"https://{HOST}:{front}"
        finally:
            process.terminate()
            process.wait(TEST_TIMEOUT)
            reader.join(TEST_TIMEOUT)
            process.stdout.close()


def test_the_public_reads_and_talks_but_has_no_exercise_and_no_demo_account(browser, deployed):
    with visitor(browser, deployed) as public, visitor(browser, deployed) as user:
        page = public.page
        public.open("03-stop")
        expect(page.locator("#editor, #verdict, .client")).to_have_count(0)
        for path in ("/", "/notes/", "/diagnoses/", "/search/?q=StopConsumer"):
            assert page.goto(f"{deployed}{path}").status == 200
        expect(page.get_by_role("link", name="How a connection ends").first).to_be_visible()
        page.goto(f"{deployed}/admin/login/")
        colour = "getComputedStyle(document.querySelector('#header')).backgroundColor"
        assert page.evaluate(colour) not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")
        page.get_by_label("Username").fill("instructor")
        page.get_by_label("Password").fill("instructor")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Please enter the correct username")).to_be_visible()
        log_in(user.page, deployed, "ann", PASSWORD)
        talk(user, public, "public")
