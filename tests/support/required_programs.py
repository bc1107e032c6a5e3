"""Programs that tests need and pip cannot install."""

import os

import pytest

from lessons.workshop.setup.external_programs import Program


def find_program(program: Program) -> str:
    """The path of the program. Without it, skip or fail the test."""
    return program.find() or skip_or_fail(program.missing())


def skip_or_fail(reason: str):
    """Skip the test. Fail it if REQUIRE_PARTS=1, which promises that every program is installed."""
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
