"""nginx in front of Daphne, configured as in NOTES.md, and the servers' defaults there."""

import inspect
from contextlib import ExitStack, closing, suppress
from http.client import HTTPSConnection
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import hypercorn.config
import hypercorn.middleware
import pytest
from daphne.cli import CommandLineInterface
from uvicorn import Config
from uvicorn.main import main as uvicorn_command
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.programs.nginx import free_port, nginx_for, unverified_tls
from tests.support.programs.real_daphne import ACCEPT, TEST_TIMEOUT, stay
from tests.support.programs.running_program import wait_until
from tests.support.programs.server_probes import Server


@pytest.fixture(scope="module")
def daphne():
    with Server("Daphne") as server:
        yield server


@pytest.fixture
def nginx(daphne, tmp_path):
    """`nginx(without="proxy_buffering")`: start nginx without such lines, and return its port.

    The first of its two servers does not run.
    """
    with ExitStack() as stack:
        ports = free_port(), daphne.port
        yield lambda **options: stack.enter_context(nginx_for(ports, tmp_path, **options))


@pytest.fixture
def visit(daphne):
    """`visit(port)`: the scope and events of a client that connects through nginx."""

    def visit_through_nginx(port, act=lambda client: None):
        number = next(daphne.numbers)
        url = f"wss://127.0.0.1:{port}/?{number}:[{ACCEPT}]".replace(" ", "%20")
        with connect(url, ssl=unverified_tls(), proxy=None) as client:
            act(client)
            return daphne.wait_for_line(f"{number} {{'type': 'websocket'")

    return visit_through_nginx


def test_nginx_forwards_a_websocket_over_tls_and_names_the_protocol(nginx, visit):
    port = nginx()
    seen = visit(port)
    assert "(b'x-forwarded-proto', b'https')" in seen
    assert f"(b'host', b'127.0.0.1:{port}')" in seen


def test_without_the_upgrade_lines_a_handshake_is_rejected(nginx, visit, daphne):
    with pytest.raises(InvalidStatus):
        visit(nginx(without="proxy_set_header Upgrade"))


def test_nginx_skips_a_server_that_is_down(nginx, visit):
    port = nginx()
    for _ in range(3):
        assert visit(port)


def test_nginx_limits_the_sockets_of_an_address(nginx, visit):
    port = nginx(limit="limit_conn clients 1;")

    def visit_again(client):
        with pytest.raises(InvalidStatus) as failure:
            visit(port)
        assert failure.value.response.status_code == 503

    assert visit(port, act=visit_again)


def test_nginx_closes_a_socket_when_the_server_sends_nothing(nginx, visit):
    port, codes = nginx(timeout="300ms"), []

    def is_closed():
        with suppress(InvalidStatus):  # on a busy machine the handshake may take this long
            visit(port, act=lambda client: stay(client) or codes.append(client.close_code))
        return codes

    wait_until(is_closed)
    assert codes == [1006]


def test_the_servers_have_these_defaults():
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
    options = {option for one in uvicorn_command.params for option in one.opts}
    assert {"--ws-ping-interval", "--ws-ping-timeout", "--ws-max-size", "--workers"} <= options
    assert "--forwarded-allow-ips" in options
    assert hypercorn.middleware.ProxyFixMiddleware
    assert hypercorn.config.Config.workers == 1
    assert hypercorn.config.Config.websocket_ping_interval is None
    assert hypercorn.config.Config.websocket_max_message_size == 2**24


def first_piece(daphne, port, timeout):
    number = next(daphne.numbers)
    start = {"type": "http.response.start", "status": 200, "headers": []}
    piece = {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}
    client = HTTPSConnection("127.0.0.1", port, timeout=timeout, context=unverified_tls())
    with closing(client):
        client.request("GET", f"/?{number}:{quote(repr([start, piece]))}")
        with client.getresponse() as response:
            return response.read1()


def test_without_buffering_nginx_forwards_each_piece_of_a_stream_at_once(nginx, daphne):
    assert first_piece(daphne, nginx(), TEST_TIMEOUT) == b"data: 1\n\n"
    with pytest.raises(TimeoutError):
        first_piece(daphne, nginx(without="proxy_buffering"), 0.5)


def test_nginx_refuses_a_body_of_more_than_one_megabyte(nginx, daphne):
    client = HTTPSConnection("127.0.0.1", nginx(), timeout=TEST_TIMEOUT, context=unverified_tls())
    with closing(client):
        client.request("POST", "/", b"x" * (2**20 + 1))
        assert client.getresponse().status == 413


def test_only_hypercorn_offers_websockets_over_http_2():
    """The server announces them with a setting of HTTP/2, which RFC 8441 defines."""
    packages = ["daphne", "twisted", "uvicorn", "hypercorn"]
    offering = {
        name
        for name in packages
        for file in Path(find_spec(name).origin).parent.rglob("*.py")
        if "ENABLE_CONNECT_PROTOCOL" in file.read_text(encoding="utf-8", errors="replace")
    }
    assert offering == {"hypercorn"}
