"""The checks of the host and the origin in front of consumers that answer HTTP."""

import pytest
from channels.routing import URLRouter

from async_demo.routing import http_urlpatterns
from lessons.extras.host_check import with_host_checks
from tests.support.strict_communicator import StrictHttpCommunicator

PATH = "/async/http/"
APPLICATION = URLRouter(with_host_checks(http_urlpatterns, unchecked="async/health/"))


def request_to(path, method="POST", **headers):
    headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    return StrictHttpCommunicator(APPLICATION, method, path, headers=headers)


@pytest.mark.parametrize("path", [PATH, f"{PATH}length/"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:8000"}, 200),
        ({"host": "localhost:8000", "origin": "http://localhost:8000"}, 200),
        ({"host": "localhost", "origin": "https://localhost"}, 200),
        ({"host": "evil.example"}, 400),
        ({"host": "localhost/evil.example"}, 400),
        ({"host": "evil.example", "origin": "http://evil.example"}, 400),
        ({"host": "localhost:8000", "origin": "http://evil.example"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:9000"}, 403),
        ({"host": "localhost:8000", "origin": "http://localhost:8000.evil.example"}, 403),
        ({"host": "localhost:8000", "origin": "null"}, 403),
        ({"host": "localhost:8000", "origin": "http://["}, 403),
    ],
)
async def test_refuses_another_host_with_400_and_another_site_with_403(path, headers, status):
    async with request_to(path, **headers) as client:
        await client.send_request()
        assert (await client.receive_output())["status"] == status


async def test_the_health_check_answers_a_load_balancer_with_any_host():
    async with request_to("/async/health/", "GET", host="10.0.0.7") as client:
        await client.send_request()
        assert (await client.receive_output())["status"] == 200
