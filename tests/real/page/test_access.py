"""Which request gets what answer, in each mode, as each visitor. The table is access.txt."""

import json
from functools import cache
from pathlib import Path

import pytest

from tests.support.modes import SHARED
from tests.support.programs.project_copy import project_copy

MODES = {"local": {}, "shared": SHARED, "room": {**SHARED, "DJANGO_MODE": "room"}}
VISITORS = ("anonymous", "student", "instructor")
# What the parameters of a route stand for.
SAMPLES = {
    "key": "03-stop",
    "lesson": "stop",
    "number": "1",
    "chapter": "consumers",
    "name": "none",
    "room": "lobby",
    "client": "client=1",
}
PROBE = "tests.support.programs.access_probe"


def read_table() -> dict[str, dict[str, tuple[str, ...]]]:
    """The expected answers to anonymous, student and instructor, by mode and route."""
    table = {mode: {} for mode in MODES}
    modes = []
    for line in Path(__file__).with_name("access.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            modes = line.strip("[]").split()
        elif line and not line.startswith("#"):
            method, route, *cells = line.split()
            for mode, cell in zip(modes, cells, strict=True):
                answers = cell.split("/")
                expected = tuple(answers * 3 if len(answers) == 1 else answers)
                table[mode][f"{method} {route}"] = expected
    return table


TABLE = read_table()


@pytest.fixture(scope="module")
def ask():
    """`ask("shared")`: what the probe reports about that mode."""
    with project_copy() as project:
        environment = project.environment  # the visits must not touch this student's files

        @cache
        def report(mode):
            project.environment = environment | MODES[mode]
            output = project.run("-W", "ignore", "-m", PROBE, json.dumps(SAMPLES))
            return json.loads(output.splitlines()[-1])

        yield report


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def answers(ask, mode):
    """What each visitor got for each route."""
    return ask(mode)["answers"]


@pytest.fixture
def headers(ask, mode):
    """By route, the headers of the answer to an instructor's GET."""
    return ask(mode)["headers"]


def test_each_visitor_gets_what_the_table_says(answers, mode):
    got = {route: tuple(answer[one] for one in VISITORS) for route, answer in answers.items()}
    assert got == TABLE[mode]


def test_a_stranger_without_the_token_gets_nothing_from_a_shared_workshop(ask):
    for route, answer in ask("shared")["answers"].items():
        assert answer["stranger"] == ("close" if route.startswith("SOCKET") else "403"), route


STATIC = "static/lessons/common/page.css"
# These read no cookie: a load balancer asks for one of them, with the server's address as Host.
FOR_ALL = {f"{method} {path}" for method in ("GET", "POST") for path in ("async/health/", STATIC)}
# The first shows what happens without an origin check. The second reads no cookie.
UNGUARDED = {"SOCKET ws/auth/unguarded/origin/"}
NO_COOKIE = {"POST room/join/"}


def reached(answers, visitor, refusal):
    """The routes that do not refuse this visitor, and exist in this mode."""
    refused = {refusal, "404", "405", "close"}
    return {route for route, answer in answers.items() if answer[visitor] not in refused}


def test_a_page_of_another_site_can_do_nothing_with_the_cookies_of_a_user(answers):
    changing = {one for one in reached(answers, "foreign", "403") if not one.startswith("GET")}
    assert changing - FOR_ALL == (UNGUARDED | NO_COOKIE) & {*answers}


def test_another_host_name_is_refused(answers):
    assert reached(answers, "rebound", "400") == (FOR_ALL | UNGUARDED) & {*answers}


# A stream of events, a health check and files are not pages: a browser shows none as a document.
NO_PAGES = ("async/http", "async/health", STATIC)
PAGES = {
    mode: [
        one.removeprefix("GET ")
        for one in rows
        if one.startswith("GET") and not any(part in one for part in NO_PAGES)
    ]
    for mode, rows in TABLE.items()
}


def test_no_page_can_be_framed_sniffed_or_followed_by_another_site(headers, mode):
    expected = {
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    }
    for route in PAGES[mode]:
        assert expected.items() <= dict(headers[route]).items(), route


def test_no_script_reads_a_cookie_and_another_site_sends_none(headers, mode):
    cookies = [
        value for route in PAGES[mode] for name, value in headers[route] if name == "set-cookie"
    ]
    assert cookies
    for cookie in cookies:
        name, *attributes = cookie.split("; ")
        assert "SameSite=Lax" in attributes
        if "csrftoken=" not in name:  # the page's scripts send it in a header
            assert "HttpOnly" in attributes
