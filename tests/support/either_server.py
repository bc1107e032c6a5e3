"""Serves the project: `python -m tests.support.either_server daphne` or `... uvicorn`."""

import asyncio
import socket
import sys

from lessons.asgi import application


def daphne():
    from lessons.bench.servers.port_server import serve
    from tests.support.daphne_timeouts import wait_for_late_answers

    wait_for_late_answers()
    serve(application)


def uvicorn():
    import uvicorn

    config = uvicorn.Config(application, lifespan="off", log_level="error")
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    {"daphne": daphne, "uvicorn": uvicorn}[sys.argv[1]]()
