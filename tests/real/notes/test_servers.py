"""Daphne, uvicorn and hypercorn treat the same events as the table in NOTES.md says."""

import socket
from ast import literal_eval

import pytest
from websockets.exceptions import ConnectionClosedError

from lessons.workshop.authoring.notes import SERVERS_TABLE, measured_table, read_measured_table
from tests.support.programs.real_daphne import CLOSE, TEST_TIMEOUT
from tests.support.programs.running_program import wait_until
from tests.support.programs.server_probes import PROBES, SERVERS, Server, measure, open_client

COLUMNS = read_measured_table(SERVERS_TABLE)


@pytest.mark.parametrize("kind", SERVERS)
def test_each_server_does_what_the_table_says(kind):
    again = "python3 -m tests.support.programs.server_probes measures the table again"
    assert measure(kind) == COLUMNS[kind], again


def test_the_table_has_a_row_for_each_probe_and_each_is_a_difference():
    assert SERVERS_TABLE.read_text(encoding="utf-8") == measured_table(COLUMNS)
    for column in COLUMNS.values():
        assert [*column] == [probe.__doc__ for probe in PROBES]
    for probe in PROBES:
        assert len({column[probe.__doc__] for column in COLUMNS.values()}) > 1


@pytest.fixture(scope="module")
def daphne():
    with Server("Daphne") as server:
        yield server


def test_daphnes_scopes_have_these_keys(daphne):
    websocket = daphne.visit(CLOSE).scope
    both = {
        "type",
        "path",
        "raw_path",
        "root_path",
        "query_string",
        "headers",
        "client",
        "server",
        "asgi",
    }
    assert websocket.keys() == both | {"subprotocols"}
    number = next(daphne.numbers)
    with socket.create_connection(("127.0.0.1", daphne.port)) as client:
        client.sendall(f"GET /?{number}:[] HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        http = literal_eval(daphne.wait_for_line(f"{number} "))
    assert http.keys() == both | {"method", "scheme", "http_version"}
    for scope in (websocket, http):
        assert isinstance(scope["path"], str)
        assert isinstance(scope["query_string"], bytes)
        assert {type(part) for pair in scope["headers"] for part in pair} == {bytes}


def test_daphne_reads_without_limit_while_the_handler_is_busy(daphne):
    number = next(daphne.numbers)
    with open_client(daphne, f"/consumers/Busy?{number}:[]") as client:
        client.send("begin")
        daphne.wait_for_line("begins")
        for _ in range(32):
            client.send(
                "x" * 2**20
            )  # more than the sockets hold, so the rest waits in the server's memory
        assert client.ping().wait(TEST_TIMEOUT)


def test_a_python_client_closes_with_1009_for_a_frame_of_more_than_1_mib():
    def ask(client):
        client.send("x" * (2**19 + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv(TEST_TIMEOUT)
        assert closed.value.sent.code == 1009

    with Server("uvicorn") as server:
        visit = server.visit(path="/consumers/Doubles", act=ask)
    assert visit.status == 101


def test_uvicorn_on_websockets_uses_a_whole_core_for_a_consumer_that_never_stops():
    with Server("uvicorn", "websockets") as server:
        with open_client(server, f"/consumers/NeverStops?{next(server.numbers)}:[]"):
            before = server.processor_seconds()
        wait_until(lambda: server.processor_seconds() - before > 0.5)
        server.process.kill()
