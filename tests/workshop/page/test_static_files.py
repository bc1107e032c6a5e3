"""Static files: what the handler answers to a request that Django's middleware never sees."""

from contextlib import closing

import pytest
from django.test import RequestFactory

from lessons.workshop.page.static_files import StaticFilesHandler

FOUND, MISSING, OUTSIDE = "lessons/common/page.css", "lessons/missing.css", "../../settings.py"
OWN, OTHER, INVALID = "a.test", "evil.test", "not a host"


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("urls", ["lessons.urls", "lessons.workshop.room.urls"])
def test_a_file_is_for_every_host_and_an_error_only_for_the_own_one(settings, urls, debug):
    settings.ROOT_URLCONF, settings.DEBUG, settings.ALLOWED_HOSTS = urls, debug, [OWN]

    def status_of(path, host):
        request = RequestFactory(headers={"host": host}).get(f"/static/{path}")
        with closing(StaticFilesHandler(None).get_response(request)) as response:
            return response.status_code

    assert [status_of(FOUND, host) for host in (OWN, OTHER, INVALID)] == [200] * 3
    assert [status_of(MISSING, host) for host in (OWN, OTHER, INVALID)] == [404, 400, 400]
    assert status_of(OUTSIDE, OWN) == 400
