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
    """`ask("shared")`: what each visitor got for each route in that mode."""
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
    return ask(mode)


def test_each_visitor_gets_what_the_table_says(answers, mode):
    got = {route: tuple(answer[one] for one in VISITORS) for route, answer in answers.items()}
    assert got == TABLE[mode]


def test_a_stranger_without_the_token_gets_nothing_from_a_shared_workshop(ask):
    for route, answer in ask("shared").items():
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
