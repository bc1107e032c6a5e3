"""Programs that tests need and pip cannot install."""

import os

import pytest

from lessons.workshop.setup.external_programs import Program

# chromium-headless-shell is the same engine without windows. It uses two thirds of the processor.
CHROMIUM = Program(
    "Chromium",
    (
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    {"apt-get": "chromium", "dnf": "chromium", "pacman": "chromium", "brew": "google-chrome"},
    "https://www.google.com/chrome",
)
NODE = Program(
    "Node",
    ("node", "nodejs"),
    {"apt-get": "nodejs", "dnf": "nodejs", "pacman": "nodejs", "brew": "node"},
    "https://nodejs.org",
)
NGINX = Program(
    "nginx",
    ("nginx", "/usr/sbin/nginx"),
    {"apt-get": "nginx-light", "dnf": "nginx", "pacman": "nginx", "brew": "nginx"},
    "https://nginx.org",
)
POSTGRESQL = Program(
    "PostgreSQL",
    ("initdb", "/usr/lib/postgresql/*/bin/initdb"),
    {"apt-get": "postgresql", "dnf": "postgresql-server", "pacman": "postgresql"},
    "https://www.postgresql.org",
)


def find_program(program: Program) -> str:
    """The path of the program. Without it, skip or fail the test."""
    return program.find() or skip_or_fail(program.missing())


def skip_or_fail(reason: str):
    """Skip the test. Fail it if REQUIRE_PARTS=1, which promises that every program is installed."""
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
