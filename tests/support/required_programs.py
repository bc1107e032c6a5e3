"""Programs that tests run and pip cannot install."""

import os
import shutil

import pytest


def find_program(names: list[str], cure: str) -> str:
    """The path of the first of these programs that there is; see `missing` for where none is."""
    path = next(filter(None, map(shutil.which, names)), None)
    return path or skip_or_fail(f"There is no {' or '.join(names)} on this machine: {cure}")


def skip_or_fail(reason: str):
    """Skip the test; with REQUIRE_PARTS=1, which says that every part is here, fail it."""
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
