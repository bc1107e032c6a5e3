"""The page of events of a project that knows nothing of this one, in a real Chromium."""

import re
import subprocess

import pytest
from playwright.sync_api import expect, sync_playwright
from websockets.sync.client import connect

from tests.real.plugin.conftest import PROJECT, project_environment, run
from tests.support.axe import violations
from tests.support.lesson_page import errors_of
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram

LOGIN = """
from django.contrib.auth import get_user_model
from django.test import Client
from shop.models import Shop

Shop.objects.create(name="corner", stock=1)
browser = Client()
browser.force_login(get_user_model().objects.create(username="ada"))
print(browser.cookies["sessionid"].value)
"""


class Runserver(RunningProgram):
    """The project's `runserver` on a free port, and a user who has logged in."""

    def __init__(self, python, database):
        self.python = python
        self.variables = {
            "DJANGO_SETTINGS_MODULE": "mysite.development",
            "DATABASE": str(database),
            "CHANNELS_RECORD": "1",
        }

    def start(self):
        run(self.python, "-m", "django", "migrate", "--run-syncdb", **self.variables)
        login = run(self.python, "-m", "django", "shell", "-v0", "-c", LOGIN, **self.variables)
        self.session = login.stdout.strip()
        return subprocess.Popen(
            [self.python, "-m", "django", "runserver", "--noreload", "127.0.0.1:0"],
            cwd=PROJECT,
            env=project_environment(**self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_ready(self):
        port = self.wait_for_line("Listening on TCP address 127.0.0.1:")
        self.host = f"127.0.0.1:{port}"

    def buy(self):
        """Buy the last piece. Returns the answer of the consumer."""
        address, origin = f"ws://{self.host}/ws/counter/?shop=corner", f"http://{self.host}"
        cookie = {"Cookie": f"sessionid={self.session}"}
        with connect(address, additional_headers=cookie, origin=origin, proxy=None) as client:
            client.send('"buy"')
            return client.recv(timeout=TEST_TIMEOUT)


@pytest.fixture(scope="module")
def server(python, tmp_path_factory):
    database = tmp_path_factory.mktemp("shop") / "db.sqlite3"
    with Runserver(python, database) as running:
        yield running


@pytest.fixture
def page(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        errors = errors_of(page)
        yield page
        browser.close()
    assert [line for line in errors if "favicon.ico" not in line] == []


def test_draws_what_the_project_does(server, page):
    page.goto(f"http://{server.host}/__events__/")
    hint = page.get_by_text("Its events appear here")
    expect(hint).to_be_visible()
    assert server.buy() == '{"sold": 1}'
    expect(hint).to_be_hidden()
    expect(page.locator(".lane-header")).to_contain_text(
        ["client", "consumer", "layer", "database"]
    )
    drawn = page.locator(".canvas .type")
    # The layer that shop.services has kept since its import is recorded, too.
    for kind in ("websocket.accept", "group_add", "SELECT", "INSERT", "group_send", "sold"):
        expect(drawn.filter(has_text=re.compile(f"^{kind}$")).first).to_be_attached()
    expect(page.locator(".canvas .shaft").first).not_to_have_css("stroke", "none")
    page.locator(".canvas").press("End")
    expect(page.locator("#event")).to_have_text(re.compile(r"^finished"))
    assert violations(page) == []
    page.get_by_role("button", name="Clear").click()
    expect(hint).to_be_visible()
    expect(drawn).to_have_count(0)
