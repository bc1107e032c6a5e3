"""The middleware of lesson 29 on real servers: a drain loses no order."""

import http.client

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, open_client


@pytest.fixture(params=["Daphne", "uvicorn", "hypercorn"])
def kitchen(request):
    with RealDaphne("demo", "kitchen", server=request.param) as server:
        yield server


def request(server, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TEST_TIMEOUT)
    connection.request(method, path)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def close_code(client):
    with pytest.raises(ConnectionClosed):
        client.recv(TEST_TIMEOUT)
    return client.close_code


def test_a_drain_serves_the_order_in_work_on_each_server(kitchen):
    assert request(kitchen, "GET", "/health/") == (200, "ok")
    with open_client(kitchen, "/") as works, open_client(kitchen, "/") as waits:
        works.send("soup")
        kitchen.wait_for_line("cooking")
        works.send("tea")

        assert request(kitchen, "POST", "/drain/") == (202, "draining")
        assert close_code(waits) == 4012
        assert request(kitchen, "GET", "/health/") == (503, "draining")
        with pytest.raises(InvalidStatus, match="HTTP 403"):
            open_client(kitchen, "/")

        request(kitchen, "GET", "/cooked/")
        assert works.recv(TEST_TIMEOUT) == "soup is served"
        assert close_code(works) == 4012
    assert request(kitchen, "GET", "/served/") == (200, "served: soup")
