"""What every test may ask for."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory):
    """A test database of this process's own: two runs at once do not meet in one file."""
    from django.conf import settings

    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a real browser."""
    return real_part(["chromium", "chromium-browser", "google-chrome"], "apt-get install chromium")


def real_part(names: list[str], cure: str) -> str:
    """The path of the first of these programs that there is.

    Where there is none the test is skipped, or fails if REQUIRE_PARTS=1 says that all are here.
    """
    path = next(filter(None, map(shutil.which, names)), None)
    if path:
        return path
    reason = f"There is no {' or '.join(names)} on this machine: {cure}"
    if os.environ.get("REQUIRE_PARTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
