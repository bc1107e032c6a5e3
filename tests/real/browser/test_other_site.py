"""Lessons 16 and 17 in a real browser: a login, and a hostile page of another origin."""

import threading
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from lessons.workshop.page.other_site import OtherSite
from tests.support.browser_login import log_in


@pytest.fixture
def victim(address):
    """Host and port of the workshop. The hostile page has a subdomain of this host."""
    return f"lessons.localhost:{urlsplit(address).port}"


@pytest.fixture
def port(victim):
    with OtherSite(0, victim) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


def test_a_login_opens_the_connection_and_the_page_says_to_reload(visit, address):
    page = visit("16-user")
    page.connect(state="closed")
    page.expect_status("Closed with 4401.")
    with page.page.context.new_page() as tab:
        log_in(tab, address)
    page.choose("User", "this browser")
    page.connect(state="refused")
    expect(page.status()).to_contain_text("reload the page.")
    page.errors.clear()
    page.open("16-user").choose("User", "this browser")
    page.connect()
    page.expect_browser_log("1 open", '1 message "You are student."')


@pytest.mark.parametrize(
    "host, without, with_validator",
    [
        # A subdomain: the same site, so SameSite=Lax allows the cookie.
        ("evil.lessons.localhost", "Letters for student: 3", "closed with 1006"),
        # Another site: SameSite=Lax already blocks the cookie.
        ("evil.localhost", "closed with 4401", "closed with 1006"),
        # The same host: neither the cookie nor the validator depends on the port.
        ("lessons.localhost", "Letters for student: 3", "Letters for student: 3"),
    ],
)
def test_only_the_origin_validator_stops_a_page_of_another_origin(
    browser, victim, port, host, without, with_validator
):
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, f"http://{victim}")
        page.goto(f"http://{host}:{port}/")
        expect(page.locator("#without")).to_have_text(without)
        expect(page.locator("#with")).to_have_text(with_validator)


def test_the_other_site_command_prints_its_addresses(monkeypatch, capsys):
    monkeypatch.setattr(OtherSite, "serve_forever", _interrupted)
    call_command("other_site", port=0, victim="a.test:8000")
    output = capsys.readouterr().out
    assert "http://a.test:8000/auth/login/" in output
    assert "http://evil.lessons.localhost:" in output


def _interrupted(site):
    assert "http" not in site.page.partition("<script>")[0]
    assert '"ws://a.test:8000" + path' in site.page
    raise KeyboardInterrupt
