"""A room behind a proxy that ends TLS."""

import json
from contextlib import closing
from http.client import HTTPConnection

from tests.support.programs.nginx import free_port
from tests.support.programs.project_commands import RunningRoom
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT


def join(port, scheme):
    """The status of the answer to a wrong code."""
    headers = {"Host": "room.test", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}
    with closing(HTTPConnection("127.0.0.1", port, timeout=TEST_TIMEOUT)) as connection:
        body = json.dumps({"code": "AAAA-AAAA", "name": "Ann"})
        connection.request("POST", "/room/join/", body, headers)
        return connection.getresponse().status


def test_requires_tls_of_the_students():
    port = free_port()
    with project_copy() as clone:
        clone.environment["DJANGO_HTTPS"] = "proxy"
        with RunningRoom(clone, "--port", str(port), "--host", "room.test"):
            assert (join(port, "https"), join(port, "http")) == (400, 301)
