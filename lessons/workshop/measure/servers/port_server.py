"""A Daphne on a free port. It prints `port NUMBER` as soon as it listens."""

from daphne.server import Server

from lessons.workshop.measure.client import CONNECT_TIMEOUT


class PortServer(Server):
    def listen_success(self, port):
        super().listen_success(port)
        print("port", port.getHost().port, flush=True)


def serve(application, **options) -> None:
    """Serve until the process is ended.

    Pings are off, because the benchmarks' clients send no pong. A handshake may take as long as
    the clients wait for it, so that a busy machine fails no handshake. `options` of Daphne's server
    change this.
    """
    limits = {"ping_interval": 86400, "websocket_handshake_timeout": CONNECT_TIMEOUT}
    endpoints = ["tcp:port=0:interface=127.0.0.1:backlog=1024"]
    PortServer(application, endpoints=endpoints, **(limits | options)).run()
