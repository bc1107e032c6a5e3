"""gunicorn and Granian: what NOTES.md says about servers that its table does not compare."""

import http.client
import sys
from importlib.util import find_spec

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.notes.test_servers import COLUMNS
from tests.support.programs import server_probes
from tests.support.programs.running_program import TEST_TIMEOUT, wait_until
from tests.support.programs.server_probes import (
    PROBES,
    Server,
    denial,
    dict_as_text,
    measure,
    never_stops,
    open_client,
)
from tests.support.required_programs import skip_or_fail

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs a Unix system.")

# Port 0 asks for a free port. The server must not replace a process that a test suspends. Some
# consumers never stop, so each server ends its processes one second after a SIGTERM.
COMMANDS = {
    "gunicorn": """gunicorn --worker-class uvicorn_worker.UvicornWorker --bind 127.0.0.1:0
        --timeout 600 --graceful-timeout 1 --no-control-socket""",
    "uvicorn": """uvicorn --host 127.0.0.1 --port 0
        --timeout-worker-healthcheck 600 --timeout-graceful-shutdown 1""",
    "Granian": "granian --interface asgi --host 127.0.0.1 --port 0 --workers-kill-timeout 1",
}
PACKAGES = {"gunicorn": "uvicorn_worker", "uvicorn": "uvicorn", "Granian": "granian"}


class OtherServer(Server):
    """A server that its own command starts, with one or more processes."""

    def __init__(self, kind, application="sample", *, processes=1):
        if find_spec(PACKAGES[kind]) is None:
            skip_or_fail(f"There is no {kind}: pip install --require-hashes -r .ci/extras.txt")
        super().__init__(kind)
        served = f"tests.support.programs.served_applications:{application}"
        self.command = [*COMMANDS[kind].split(), "--workers", str(processes), served]
        self.number_of_processes = processes

    def wait_until_ready(self):
        ids = [self.wait_for_line("process ") for _ in range(self.number_of_processes)]
        self.processes = [psutil.Process(int(one)) for one in ids]
        wait_until(self.ports)
        [self.port] = self.ports()

    def ports(self):
        """The ports on which the processes listen."""
        return {
            connection.laddr.port
            for process in self.processes
            for connection in process.net_connections("tcp4")
            if connection.status == psutil.CONN_LISTEN
        }

    def processor_seconds(self):
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)


@pytest.mark.parametrize("kind", ["gunicorn", "Granian"])
def test_the_echo_of_lesson_2_answers_on_gunicorn_and_granian(kind):
    processes = 2 if kind == "gunicorn" else 1
    with (
        OtherServer(kind, "echo", processes=processes) as server,
        open_client(server, "/") as client,
    ):
        for frame in ("hello", b"\x00\xff"):
            client.send(frame)
            assert client.recv(TEST_TIMEOUT) == frame


def test_a_process_of_gunicorn_does_what_the_table_says_of_uvicorn(monkeypatch):
    monkeypatch.setattr(server_probes, "Server", OtherServer)
    assert measure("gunicorn") == COLUMNS["uvicorn"]


def test_granian_differs_from_uvicorn_in_these_rows():
    # On Granian, the visits of the first two do not end. The third has its own test below.
    probes = [probe for probe in PROBES if probe not in (denial, dict_as_text, never_stops)]
    with OtherServer("Granian") as server:
        # One after the other: the last of them stops the server.
        measured = {probe.__doc__: probe(server) for probe in probes}
    assert {row: text for row, text in measured.items() if text != COLUMNS["uvicorn"][row]} == {
        "`code` after a close by the consumer, with 4001": "1005",
        "`code` after a rejection": "1005",
        "`headers` of the accept": "are dropped",
        "a second accept": "dies, 1005",
        "`text` and `bytes` at once": "dies, 1005",
        "an event of unknown type": "dies, 1005",
        "an exception after the accept: the client receives": "1005",
        "permessage-deflate": "no",
        "SIGTERM: a connected client receives": "1006",
    }


def test_granian_stays_busy_with_a_consumer_that_never_stops():
    with OtherServer("Granian") as server:
        path = f"/consumers/NeverStops?{next(server.numbers)}:[]"
        # Granian ends the connection only after the consumer, so the client does not wait for it.
        with open_client(server, path, close_timeout=0):
            before = server.processor_seconds()
        wait_until(lambda: server.processor_seconds() - before > 0.5)


def request(server, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TEST_TIMEOUT)
    connection.request(method, path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("kind", ["gunicorn", "uvicorn"])
def test_processes_share_one_port_and_a_drain_reaches_one_of_them(kind):
    with OtherServer(kind, "kitchen", processes=2) as server:
        drained, other = server.processes
        other.suspend()
        try:
            assert request(server, "POST", "/drain/") == 202
            assert request(server, "GET", "/health/") == 503
        finally:
            other.resume()
        drained.suspend()
        try:
            assert request(server, "GET", "/health/") == 200
        finally:
            drained.resume()


def test_gunicorn_kills_a_process_after_its_graceful_timeout():
    with OtherServer("gunicorn") as server:
        number = next(server.numbers)
        with open_client(server, f"/consumers/Busy?{number}:[]") as client:
            client.send("begin")
            server.wait_for_line("begins")
            server.process.terminate()
            with pytest.raises(ConnectionClosed):
                client.recv(TEST_TIMEOUT)
            assert client.close_code == 1012
        server.process.wait(TEST_TIMEOUT)
        server.join_reader()
        assert f"{number} over" not in server.lines  # the handler has not ended

    from gunicorn.config import GracefulTimeout

    assert GracefulTimeout.default == 30
