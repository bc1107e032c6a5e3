"""A Daphne on a port that was free, which it prints as `port NUMBER` once it listens."""

from daphne.server import Server


class Announcing(Server):
    def listen_success(self, port):
        super().listen_success(port)
        print("port", port.getHost().port, flush=True)


def serve(application, **options) -> None:
    """Serve until the process is ended. Pings are off: the benchmarks' clients know no pong."""
    endpoints = ["tcp:port=0:interface=127.0.0.1"]
    Announcing(application, endpoints=endpoints, ping_interval=86400, **options).run()
