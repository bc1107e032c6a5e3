"""Daphne, uvicorn and hypercorn treat the same events as the tables in NOTES.md say."""

import inspect
import socket
from ast import literal_eval

import hypercorn.config
import pytest
from daphne.cli import CommandLineInterface
from uvicorn import Config
from websockets.exceptions import ConnectionClosedError

from lessons.workshop.authoring.notes import SERVERS_TABLE
from tests.support.measured_tables import measured_table, read_measured_table
from tests.support.programs.real_daphne import TEST_TIMEOUT
from tests.support.programs.server_probes import PROBES, SERVERS, Server, measure, open_client
from tests.support.scripted_events import CLOSE

COLUMNS = read_measured_table(SERVERS_TABLE)
BOTH = [
    "type",
    "path",
    "raw_path",
    "root_path",
    "query_string",
    "headers",
    "client",
    "server",
    "asgi",
]


@pytest.mark.parametrize("kind", SERVERS)
def test_each_server_does_what_the_table_says(kind):
    again = "python3 -m tests.support.programs.server_probes measures the table again"
    assert measure(kind) == COLUMNS[kind], again


def test_the_table_has_a_row_for_each_probe():
    assert SERVERS_TABLE.read_text(encoding="utf-8") == measured_table(COLUMNS)
    for column in COLUMNS.values():
        assert [*column] == [*PROBES]


def test_the_servers_have_these_limits_without_options():
    daphne = vars(CommandLineInterface().parser.parse_args(["an.asgi:application"]))
    assert {
        "websocket_connect_timeout": 5,
        "ping_interval": 20,
        "ping_timeout": 30,
        "application_close_timeout": 10,
        "websocket_timeout": 24 * 60 * 60,
        "websocket_max_message_size": 2**20,
        "proxy_headers": False,
    }.items() <= daphne.items()
    uvicorn = inspect.signature(Config).parameters
    assert (uvicorn["ws_ping_interval"].default, uvicorn["ws_ping_timeout"].default) == (20, 20)
    assert uvicorn["ws_max_size"].default == 2**24
    assert hypercorn.config.Config.websocket_ping_interval is None
    assert hypercorn.config.Config.websocket_max_message_size == 2**24


@pytest.fixture(scope="module")
def daphne():
    with Server("Daphne") as server:
        yield server


def test_daphnes_scopes_have_these_keys(daphne):
    assert daphne.visit(CLOSE).scope.keys() == {*BOTH, "subprotocols"}
    number = next(daphne.numbers)
    with socket.create_connection(("127.0.0.1", daphne.port)) as client:
        client.sendall(f"GET /?{number}:[] HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        http = literal_eval(daphne.wait_for_line(f"{number} "))
    assert http.keys() == {*BOTH, "method", "scheme", "http_version"}
    assert {type(part) for pair in http["headers"] for part in pair} == {bytes}


def test_daphne_reads_without_limit_while_the_handler_is_busy(daphne):
    with open_client(daphne, f"/consumers/Busy?{next(daphne.numbers)}:[]") as client:
        client.send("begin")
        daphne.wait_for_line("begins")
        for _ in range(32):  # more than the sockets hold: the rest waits in the server's memory
            client.send("x" * 2**20)
        assert client.ping().wait(TEST_TIMEOUT)


def test_a_python_client_closes_with_1009_for_a_frame_of_more_than_1_mib():
    with Server("uvicorn") as server, open_client(server, "/consumers/Doubles?0:[]") as client:
        client.send("x" * (2**19 + 1))
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv(TEST_TIMEOUT)
    assert closed.value.sent.code == 1009
