"""Lesson 17 in a real browser: a page of another origin, and the cookies of a user."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from lessons.workshop.course.lesson_index import find
from tests.support.lesson_page import log_in


@pytest.fixture
def port():
    handler = partial(SimpleHTTPRequestHandler, directory=find("origin").folder / "other_site")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


def test_only_the_origin_validator_stops_a_page_of_another_origin(browser, address, port):
    victim = f"lessons.localhost:{urlsplit(address).port}"
    hosts = {
        # A subdomain: the same site, so SameSite=Lax allows the cookie.
        "evil.lessons.localhost": ("Letters for student: 3", "closed with 1006"),
        # Another site: SameSite=Lax already blocks the cookie.
        "evil.localhost": ("closed with 4401", "closed with 1006"),
        # The same host: neither the cookie nor the validator depends on the port.
        "lessons.localhost": ("Letters for student: 3", "Letters for student: 3"),
    }
    with browser.new_context() as context:
        page = context.new_page()
        log_in(page, f"http://{victim}")
        for host, (without, with_validator) in hosts.items():
            page.goto(f"http://{host}:{port}/?{victim}")
            expect(page.locator("#without")).to_have_text(without)
            expect(page.locator("#with")).to_have_text(with_validator)
