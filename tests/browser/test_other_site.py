"""Lessons 16 and 17 in a real browser: logging in, and a hostile page on a second origin."""

import threading
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from auth_demo.other_site import OtherSite
from tests.support.browser_login import log_in


@pytest.fixture
def victim(address):
    """Host and port of the workshop, by the name that the hostile page's is next to."""
    return f"lessons.localhost:{urlsplit(address).port}"


@pytest.fixture
def port(victim):
    with OtherSite(0, victim) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


def test_who_has_logged_in_is_let_in_and_who_has_not_learns_why(visit, address):
    page = visit("16-user")
    page.connect(state="closed")
    page.expect_status("Closed with 4401.")
    with page.page.context.new_page() as tab:
        log_in(tab, address)
    page.choose("Who", "this browser")
    page.connect(state="refused")
    expect(page.status()).to_contain_text("reload the page.")
    page.errors.clear()
    page.open("16-user").choose("Who", "this browser")
    page.connect()
    page.expect_browser_log("1 open", '1 message "You are student."')


@pytest.mark.parametrize(
    "host, without, with_validator",
    [
        # Next door: the same site, so that SameSite=Lax lets the cookie go along.
        ("evil.lessons.localhost", "Letters for student: 3", "closed with 1006"),
        # Another site: here the cookie's SameSite=Lax has already kept it back.
        ("evil.localhost", "closed with 4401", "closed with 1006"),
        # The same host: neither the cookie nor the validator looks at the port.
        ("lessons.localhost", "Letters for student: 3", "Letters for student: 3"),
    ],
)
def test_a_page_of_another_origin_opens_the_sockets(
    browser, victim, port, host, without, with_validator
):
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, f"http://{victim}")
        page.goto(f"http://{host}:{port}/")
        expect(page.locator("#without")).to_have_text(without)
        expect(page.locator("#with")).to_have_text(with_validator)


def test_the_command_says_where_to_look(monkeypatch, capsys):
    monkeypatch.setattr(OtherSite, "serve_forever", _interrupted)
    call_command("other_site", port=0, victim="a.test:8000")
    said = capsys.readouterr().out
    assert "http://a.test:8000/auth/login/" in said
    assert "http://evil.lessons.localhost:" in said


def _interrupted(site):
    assert "http" not in site.page.partition("<script>")[0]
    assert '"ws://a.test:8000" + path' in site.page
    raise KeyboardInterrupt
