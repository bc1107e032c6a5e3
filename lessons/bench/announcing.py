"""A Daphne on a port that was free, which it prints as `port NUMBER` once it listens."""

from daphne.server import Server

from lessons.bench.connection import PATIENCE


class Announcing(Server):
    def listen_success(self, port):
        super().listen_success(port)
        print("port", port.getHost().port, flush=True)


def serve(application, **options) -> None:
    """Serve until the process is ended. Pings are off: the benchmarks' clients know no pong.

    A handshake may take as long as the clients' own patience, also where all cores are busy.
    """
    quiet = {"ping_interval": 86400, "websocket_handshake_timeout": PATIENCE}
    endpoints = ["tcp:port=0:interface=127.0.0.1"]
    Announcing(application, endpoints=endpoints, **quiet, **options).run()
