"""A shared and a deployed server in a real browser: another host name, through nginx with TLS."""

from contextlib import ExitStack, contextmanager
from threading import Thread

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import OTHER_HOST as HOST
from tests.browser.conftest import LessonPage
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.measure.processes import project_copy
from tests.support.axe import violations
from tests.support.modes import DEPLOYED, SHARED
from tests.support.programs.nginx import (
    free_port,
    listens,
    make_certificate,
    nginx_for,
    unverified_tls,
)
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until
from tests.support.workshop_copy import workshop_copy, write_in_page

HTTPS = {"DJANGO_HTTPS": "proxy", "DJANGO_ALLOWED_HOSTS": HOST}
PASSWORD = "a long password of this test"
USERS = f"""
from django.contrib.auth.models import User
User.objects.create_user("ann", password={PASSWORD!r})
User.objects.create_superuser("root", password={PASSWORD!r})
"""


@contextmanager
def visitor(browser, address):
    """A page in a new browser session. Its console must have no errors."""
    with browser.new_context(reduced_motion="reduce") as context:
        page = LessonPage(context.new_page(), address)
        yield page
        assert (page.errors, page.foreign_requests) == ([], [])


def log_in(visitor, name, password):
    visitor.page.goto(f"{visitor.address}/auth/login/")
    visitor.page.get_by_label("Username").fill(name)
    visitor.page.get_by_label("Password").fill(password)
    visitor.page.get_by_role("button", name="Log in").click()
    expect(visitor.page.get_by_text(f"You are {name}.")).to_be_visible()


def enter(visitor, room):
    visitor.page.goto(f"{visitor.address}/chat/{room}/")
    expect(visitor.page.get_by_role("status")).to_have_text("Connected.")


def say(visitor, text):
    visitor.page.get_by_label("Message", exact=True).fill(text)
    visitor.page.keyboard.press("Enter")


def expect_said(visitors, *texts):
    for one in visitors:
        expect(one.page.locator(".said")).to_have_text(list(texts))


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


@pytest.fixture
def guest(browser, shared):
    """A visitor who has opened the address with the token."""
    address, token, _ = shared
    with visitor(browser, address) as page:
        page.page.goto(f"{address}/?token={token}")
        yield page


def test_a_stranger_sees_how_to_get_the_token_and_can_enter_it(browser, shared):
    address, token, _ = shared
    with visitor(browser, address) as stranger:
        assert stranger.page.goto(f"{address}/lessons/03-stop/").status == 403
        expect(stranger.page.get_by_role("heading")).to_have_text("This workshop needs a token")
        stranger.page.emulate_media(color_scheme="light")
        assert violations(stranger.page) == []
        stranger.errors.clear()  # the browser reports the 403
        stranger.page.get_by_label("Token").fill(token)
        stranger.page.keyboard.press("Enter")
        expect(stranger.page).to_have_url(f"{address}/lessons/03-stop/")


def test_the_token_leaves_the_address_and_the_page_works_without_it(guest):
    expect(guest.page).to_have_url(f"{guest.address}/")
    [cookie] = [one for one in guest.page.context.cookies() if one["name"].startswith("workshop")]
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax")
    guest.open("03-stop")


def test_a_lesson_shows_the_events_of_its_client(guest):
    guest.open("03-stop").show("See")
    guest.connect()
    guest.send("hello")
    expect(guest.page.locator("#events")).to_contain_text("You said: hello")


def test_a_save_is_judged(guest, shared):
    exercise = shared[2].exercise("stop")
    guest.open("03-stop").show("Do")
    write_in_page(guest.page, "work/03_stop.py", exercise.solved)
    guest.page.keyboard.press("Control+s")
    expect(guest.page.locator("#verdict .state")).to_have_text("green")


def test_users_sign_in_with_the_passwords_of_this_workshop_and_talk(browser, guest, shared):
    guest.page.goto(f"{guest.address}/auth/login/")
    shown = guest.page.locator(".quiet code").all_text_contents()
    passwords = dict(zip(shown[::2], shown[1::2], strict=True))
    assert passwords["student"] != "student"
    address, token, _ = shared
    with visitor(browser, address) as other:
        other.page.goto(f"{address}/?token={token}")
        log_in(guest, "student", passwords["student"])
        log_in(other, "instructor", passwords["instructor"])
        for one in (guest, other):
            enter(one, "shared")
        say(guest, "hello")
        expect_said((guest, other), "hello")
        say(other, "hi")
        expect_said((guest, other), "hello", "hi")


# A deployed server


@pytest.fixture(scope="module")
def project():
    """A copy of the project with tables, with other users."""
    with project_copy() as project:
        project.environment.update(DEPLOYED | HTTPS)
        project.run("manage.py", "migrate")
        project.run("manage.py", "shell", "-c", USERS)
        yield project


@contextmanager
def daphne(project, port, https, *arguments):
    """A Daphne of the project that listens at `port`, as README.md starts it."""
    project.environment["DJANGO_HTTPS"] = https
    process = project.start("-m", "daphne", *arguments, "lessons.asgi:application")
    reader = Thread(target=process.stdout.read, daemon=True)  # a full pipe would stop the server
    reader.start()
    try:
        wait_until(lambda: listens(port))
        yield
    finally:
        process.terminate()
        process.wait(TEST_TIMEOUT)
        reader.join(TEST_TIMEOUT)
        assert not reader.is_alive()
        process.stdout.close()


@pytest.fixture(scope="module")
def deployed(project, tmp_path_factory):
    """The address of a deployed server behind nginx."""
    port = free_port()
    with (
        daphne(project, port, "proxy", "-b", "127.0.0.1", "-p", str(port)),
        nginx_for((free_port(), port), tmp_path_factory.mktemp("nginx")) as front,
    ):
        yield f"https://{HOST}:{front}"


@pytest.fixture
def public(browser, deployed):
    """A visitor of the deployed server, who is not logged in."""
    with visitor(browser, deployed) as page:
        yield page


def test_the_public_reads_lessons_and_notes_and_searches(public):
    public.open("03-stop")
    expect(public.page.get_by_role("heading", level=1)).to_contain_text("How a connection ends")
    for path in ("/", "/notes/", "/diagnoses/", "/search/?q=StopConsumer"):
        assert public.page.goto(f"{public.address}{path}").status == 200
    expect(public.page.get_by_role("link", name="How a connection ends").first).to_be_visible()


def test_the_public_has_no_exercise_no_live_client_and_no_accounts(public):
    public.open("03-stop")
    expect(public.page.locator("#editor, #verdict, .client")).to_have_count(0)
    public.page.goto(f"{public.address}/auth/login/")
    expect(public.page.get_by_text("This workshop has the accounts")).to_have_count(0)


def test_static_files_are_served_and_the_admin_has_its_style(browser, public):
    public.page.goto(f"{public.address}/admin/login/")
    colour = "getComputedStyle(document.querySelector('#header')).backgroundColor"
    assert public.page.evaluate(colour) not in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_a_user_and_a_guest_talk_in_the_deployed_chat(browser, public, deployed):
    with visitor(browser, deployed) as user:
        log_in(user, "ann", PASSWORD)
        for one in (user, public):
            enter(one, "public")
        say(user, "hello")
        expect_said((user, public), "hello")
        say(public, "hi")
        expect_said((user, public), "hello", "hi")


@pytest.mark.parametrize("name", ["student", "instructor"])
def test_the_demo_accounts_do_not_exist(public, name):
    public.page.goto(f"{public.address}/admin/login/")
    public.page.get_by_label("Username").fill(name)
    public.page.get_by_label("Password").fill(name)
    public.page.keyboard.press("Enter")
    expect(public.page.get_by_text("Please enter the correct username")).to_be_visible()


def test_daphne_ends_tls_itself_and_serves_no_plain_socket(project, tmp_path):
    make_certificate(tmp_path)
    secure, plain = free_port(), free_port()
    files = f"privateKey={tmp_path / 'chat.key'}:certKey={tmp_path / 'chat.pem'}"
    ports = (f"ssl:{secure}:interface=127.0.0.1:{files}", f"tcp:{plain}:interface=127.0.0.1")
    with daphne(project, secure, str(secure), "-e", ports[0], "-e", ports[1]):
        path = "ws/chat/lobby/?seen=0"
        options = {"proxy": None, "origin": f"https://{HOST}", "open_timeout": TEST_TIMEOUT}
        with connect(f"wss://127.0.0.1:{secure}/{path}", ssl=unverified_tls(), **options) as client:
            assert "ready" in client.recv(timeout=TEST_TIMEOUT)
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{plain}/{path}", **options)
        assert refused.value.response.status_code == 403
