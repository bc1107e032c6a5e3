"""Programs that tests run and pip cannot install."""

import os
import shutil

import pytest


def real_part(names: list[str], cure: str) -> str:
    """The path of the first of these programs that there is.

    Where there is none the test is skipped; with REQUIRE_PARTS=1, which says that they are all
    here, it fails.
    """
    path = next(filter(None, map(shutil.which, names)), None)
    if path:
        return path
    reason = f"There is no {' or '.join(names)} on this machine: {cure}"
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
