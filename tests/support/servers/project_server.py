"""Serves the project: `python -m tests.support.servers.project_server daphne` or `uvicorn`."""

import asyncio
import socket
import sys

from lessons.asgi import application


def serve_daphne():
    from tests.support.servers.daphne_server import serve

    serve(application, websocket_handshake_timeout=60)


def serve_uvicorn():
    import uvicorn

    config = uvicorn.Config(application, lifespan="off", log_level="error")
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    asyncio.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    {"daphne": serve_daphne, "uvicorn": serve_uvicorn}[sys.argv[1]]()
