"""Serves an application with Daphne, set up for tests. It prints `port NUMBER` when it listens."""

import logging
import sys

import daphne.server
from daphne.ws_protocol import WebSocketProtocol

from lessons.workshop.measure.servers.port_server import PortServer

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


def serve(application, reactor=FastReactor, *, default_close_timeout=False, **options):
    """Serve on a free port until the process is ended, with the log on stdout.

    With `default_close_timeout`, wait for a client's close frame only as long as Autobahn does.
    """
    if not default_close_timeout:
        wait_for_late_closes()
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    daphne.server.reactor = reactor(daphne.server.reactor)
    PortServer(application, endpoints=["tcp:port=0:interface=127.0.0.1"], **options).run()
