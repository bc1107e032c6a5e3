"""A room behind a proxy: the address of a student is the one that the proxy sees."""

import json
from contextlib import closing
from http.client import HTTPConnection

from lessons.workshop.room.joining import WRONG_CODES
from tests.support.programs.nginx import free_port
from tests.support.programs.project_commands import RunningRoom, room_clone
from tests.support.programs.running_program import TEST_TIMEOUT


def join(port, address, scheme="https"):
    """The status of the answer to a wrong code."""
    headers = {"Host": "room.test", "X-Forwarded-For": address, "X-Forwarded-Proto": scheme}
    with closing(HTTPConnection("127.0.0.1", port, timeout=TEST_TIMEOUT)) as connection:
        body = json.dumps({"code": "AAAA-AAAA", "name": "Ann"})
        connection.request("POST", "/room/join/", body, headers)
        return connection.getresponse().status


def test_counts_wrong_codes_by_the_address_of_the_student_and_requires_tls():
    port = free_port()
    with room_clone() as clone:
        clone.environment["DJANGO_HTTPS"] = "proxy"
        with RunningRoom(clone, "--port", str(port), "--host", "room.test"):
            # A new minute may begin meanwhile. It has a new count.
            answers = [join(port, "192.0.2.1") for _ in range(2 * WRONG_CODES + 1)]
            assert {*answers} == {403, 429}
            assert join(port, "192.0.2.2") == 403
            assert join(port, "192.0.2.3", "http") == 301
