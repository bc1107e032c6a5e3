"""Programs that tests need and pip cannot install."""

import os
import shutil

import pytest


def find_program(names: list[str], cure: str) -> str:
    """The path of the first installed program of these. Without one, skip or fail the test."""
    path = next(filter(None, map(shutil.which, names)), None)
    return path or skip_or_fail(f"There is no {' or '.join(names)} on this machine: {cure}")


def skip_or_fail(reason: str):
    """Skip the test. Fail it if REQUIRE_PARTS=1, which promises that every program is installed."""
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
