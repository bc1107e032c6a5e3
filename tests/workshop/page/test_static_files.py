"""Static files: what the handler answers to a request that Django's middleware never sees."""

from contextlib import closing

import pytest
from django.test import RequestFactory

from lessons.workshop.page.static_files import StaticFilesHandler

FOUND, MISSING, OUTSIDE = "lessons/common/page.css", "lessons/missing.css", "../../settings.py"

pytestmark = pytest.mark.parametrize(
    "urls, debug",
    [("lessons.urls", False), ("lessons.urls", True), ("lessons.workshop.room.urls", False)],
)


@pytest.fixture
def status_of(settings, urls, debug):
    """`status_of(path, host)`: the status of the answer to a request for that file."""
    settings.ROOT_URLCONF, settings.DEBUG = urls, debug
    settings.ALLOWED_HOSTS = ["a.test"]

    def ask(path, host):
        request = RequestFactory(headers={"host": host}).get(f"/static/{path}")
        with closing(StaticFilesHandler(None).get_response(request)) as response:
            return response.status_code

    return ask


@pytest.mark.parametrize("host", ["a.test", "evil.test", "not a host"])
def test_a_file_is_for_every_host(status_of, host):
    assert status_of(FOUND, host) == 200


def test_a_missing_file_is_a_404(status_of):
    assert status_of(MISSING, "a.test") == 404


@pytest.mark.parametrize("host", ["evil.test", "not a host"])
def test_a_missing_file_of_another_host_is_a_400(status_of, host):
    assert status_of(MISSING, host) == 400


def test_a_path_that_leaves_the_folder_is_a_400(status_of):
    assert status_of(OUTSIDE, "a.test") == 400
