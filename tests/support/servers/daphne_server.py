"""Serves an application for tests. A program here is started with the name of its application:

    python -m tests.support.servers.scripted_server events close=0.2

It prints `port NUMBER` when it listens.
"""

import asyncio
import logging
import signal
import socket
import sys

import daphne.server
from daphne.ws_protocol import WebSocketProtocol

from lessons.workshop.measure.servers import PortServer

CLOSE_TIMEOUT = 60  # seconds


class FastReactor:
    """Twisted's reactor, but Daphne checks its applications every 20 ms instead of every second."""

    def __init__(self, reactor):
        self.reactor = reactor

    def __getattr__(self, name):
        return getattr(self.reactor, name)

    def callLater(self, delay, call):
        return self.reactor.callLater(delay / 50, call)


def wait_for_late_closes() -> None:
    """Let this process's Daphne wait a minute for a client's close frame.

    Autobahn waits one second. On a busy machine a client may answer later, and then sees code 1006.
    """
    WebSocketProtocol.closeHandshakeTimeout = CLOSE_TIMEOUT


def serve(application, server="Daphne", reactor=FastReactor, **options):
    """Serve on a free port until the process is ended, with the log on stdout.

    The reactor and the options are for Daphne.
    """
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    if server == "Daphne":
        wait_for_late_closes()
        daphne.server.reactor = reactor(daphne.server.reactor)
        PortServer(application, endpoints=["tcp:port=0:interface=127.0.0.1"], **options).run()
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        asyncio.run({"uvicorn": _uvicorn, "hypercorn": _hypercorn}[server](application, listener))


async def _uvicorn(application, listener):
    from uvicorn import Config, Server

    config = Config(application, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    await Server(config).serve([listener])


async def _hypercorn(application, listener):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config, stop = Config(), asyncio.Event()
    config.bind, config.graceful_timeout = [f"fd://{listener.fileno()}"], 0.2
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(application, config, shutdown_trigger=stop.wait)


def start(*applications):
    """Call the function that the command line names, with its options."""
    name, *options = sys.argv[1:]
    functions = {function.__name__: function for function in applications}
    functions[name](**dict(option.split("=", 1) for option in options))
