"""The limits of Daphne, uvicorn and hypercorn, as NOTES.md says."""

import inspect

import hypercorn.config
from daphne.cli import CommandLineInterface
from uvicorn import Config

from tests.support.programs.real_daphne import TEST_TIMEOUT, RealDaphne, open_client


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


def test_daphne_reads_without_limit_while_the_handler_is_busy():
    with RealDaphne() as daphne, open_client(daphne, "/consumers/Busy?0:[]") as client:
        client.send("begin")
        daphne.wait_for_line("begins")
        for _ in range(32):  # more than the sockets hold: the rest waits in the server's memory
            client.send("x" * 2**20)
        assert client.ping().wait(TEST_TIMEOUT)
