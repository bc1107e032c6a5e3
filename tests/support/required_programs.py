"""Programs that tests need and pip cannot install."""

import os
from glob import glob

import pytest

from lessons.workshop.setup.external_programs import Program

CHROMIUM = Program(
    "Chromium",
    (  # chromium-headless-shell is the same engine without windows, with two thirds of the work
        "chromium-headless-shell",
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
    "sudo apt-get install chromium, or brew install google-chrome",
)
NODE = Program("Node", ("node", "nodejs"), "sudo apt-get install nodejs, or brew install node")
NGINX = Program(
    "nginx",
    ("nginx", "/usr/sbin/nginx"),
    "sudo apt-get install nginx-light, or brew install nginx",
)
POSTGRESQL = Program(
    "PostgreSQL",
    ("initdb", *glob("/usr/lib/postgresql/*/bin/initdb")),
    "sudo apt-get install postgresql, or https://www.postgresql.org",
)


def find_program(program: Program) -> str:
    """The path of the program. Without it, skip or fail the test."""
    return program.find() or skip_or_fail(program.missing())


def skip_or_fail(reason: str):
    """Skip the test. Fail it if REQUIRE_PARTS=1, which promises that every program is installed."""
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
