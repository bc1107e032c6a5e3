"""Which request gets what answer, in each mode, as each visitor. The table is access.txt."""

import json
from functools import cache
from pathlib import Path

import pytest

from lessons.workshop.measure.processes import project_copy
from tests.support.modes import DEPLOYED, NAMES, SHARED

MODES = {"local": {}, "shared": SHARED, "deployed": DEPLOYED}
VISITORS = ("anonymous", "student", "instructor")
# What the parameters of a route stand for.
SAMPLES = {
    "key": "03-stop",
    "number": "1",
    "chapter": "why-channels",
    "name": "none",
    "room": "lobby",
    "client": "client=1",
}
PROBE = "tests.support.programs.access_probe"


def read_table() -> dict[str, dict[str, tuple[str, ...]]]:
    """The expected answers to anonymous, student and instructor, by route and mode."""
    table = {}
    for line in Path(__file__).with_name("access.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            method, route, *cells = line.split()
            answers = [cell.split("/") for cell in cells]
            table[f"{method} {route}"] = {
                mode: tuple(answer * 3 if len(answer) == 1 else answer)
                for mode, answer in zip(MODES, answers, strict=True)
            }
    return table


TABLE = read_table()


@pytest.fixture(scope="module")
def probe():
    """`probe("shared")`: what the program of this name reports about that mode."""
    with project_copy() as project:
        # The visits must not touch this student's files.
        for name in NAMES:
            project.environment.pop(name, None)

        @cache
        def ask(mode):
            project.environment = {**project.environment, **MODES["local"], **MODES[mode]}
            for name in set(SHARED | DEPLOYED) - set(MODES[mode]):
                project.environment.pop(name, None)
            output = project.run("-W", "ignore", "-m", PROBE, json.dumps(SAMPLES))
            return json.loads(output.splitlines()[-1])

        yield ask


@pytest.fixture(scope="module")
def answers(probe):
    """`answers("shared")`: what each visitor got for each route."""
    return lambda mode: probe(mode)["answers"]


@pytest.fixture(scope="module")
def headers(probe):
    """`headers("shared")`: by route, the headers of the answer to an instructor's GET."""
    return lambda mode: probe(mode)["headers"]


@pytest.mark.parametrize("mode", MODES)
def test_the_table_has_every_route_and_no_other(answers, mode):
    assert sorted(answers(mode)) == sorted(TABLE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("route", TABLE)
def test_each_visitor_gets_what_the_table_says(answers, route, mode):
    got = answers(mode)[route]
    assert tuple(got[visitor] for visitor in VISITORS) == TABLE[route][mode]


@pytest.mark.parametrize("route", TABLE)
def test_a_stranger_without_the_token_gets_nothing_from_a_shared_workshop(answers, route):
    refused = "close" if route.startswith("SOCKET") else "403"
    assert answers("shared")[route]["stranger"] == refused


STATIC = "static/lessons/common/page.css"
# These read no cookie, or exist to show what happens without an origin check.
FOR_EVERY_SITE = {
    "POST auth/ticket/",
    "POST auth/token/",
    "POST async/http/",
    "POST async/http/length/",
    "POST async/health/",
    "POST watched/<feed>/<client>/async/http/",
    "SOCKET ws/auth/ticket/",
    "SOCKET ws/auth/token/",
    "SOCKET ws/auth/unguarded/origin/",
    f"POST {STATIC}",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("route", [one for one in TABLE if not one.startswith("GET")])
def test_a_page_of_another_site_can_do_nothing_with_the_cookies_of_a_user(answers, route, mode):
    if route not in FOR_EVERY_SITE:
        assert answers(mode)[route]["foreign"] in {"403", "404", "405", "close"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("route", TABLE)
def test_another_host_name_is_refused(answers, route, mode):
    # A load balancer sends the address of the server as Host.
    if route not in {f"GET {STATIC}", "GET async/health/", *FOR_EVERY_SITE}:
        assert answers(mode)[route]["rebound"] in {"400", "404", "405", "close"}


@pytest.mark.parametrize("visitor, refusal", [("plain", "301"), ("balancer", "400")])
@pytest.mark.parametrize("route", TABLE)
def test_without_https_a_deployed_server_answers_only_a_health_check(
    answers, route, visitor, refusal
):
    answer = answers("deployed")[route][visitor]
    if route.endswith(" async/health/"):
        assert answer == "200"
    else:
        assert answer == ("close" if route.startswith("SOCKET") else refusal)


# A stream of events, a health check and files are not pages: a browser shows none as a document.
NO_PAGES = ("async/http", "async/health", STATIC)
PAGES = [
    one.removeprefix("GET ")
    for one in TABLE
    if one.startswith("GET") and not any(part in one for part in NO_PAGES)
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("route", PAGES)
def test_no_page_can_be_framed_sniffed_or_followed_by_another_site(headers, route, mode):
    sent = dict(headers(mode)[route])
    assert sent["x-frame-options"] == "DENY"
    assert sent["x-content-type-options"] == "nosniff"
    assert sent["referrer-policy"] == "same-origin"
    hsts = "max-age=3600; includeSubDomains; preload" if mode == "deployed" else None
    assert sent.get("strict-transport-security") == hsts


@pytest.mark.parametrize("mode", MODES)
def test_no_script_reads_a_cookie_and_another_site_sends_none(headers, mode):
    cookies = [
        value for route in PAGES for name, value in headers(mode)[route] if name == "set-cookie"
    ]
    assert cookies
    for cookie in cookies:
        name, *attributes = cookie.split("; ")
        assert "SameSite=Lax" in attributes
        assert ("Secure" in attributes) is (mode == "deployed")
        if not name.startswith("csrftoken"):  # the page's scripts send it in a header
            assert "HttpOnly" in attributes
