"""An ASGI server with the consumers of scripted_server.py, for the probes of server_probes.py.

    python3 -m tests.support.servers.compared_server Daphne

Or `hypercorn`, or `uvicorn`, perhaps with the name of its WebSocket implementation. It prints
`port NUMBER` when it listens.
"""

import asyncio
import logging
import signal
import socket
import sys

from django.conf import settings

from tests.support.servers import scripted_server


class Busy(scripted_server.Ticks):
    async def websocket_receive(self, event):
        print("begins", flush=True)
        await asyncio.sleep(3600)


async def application(scope, receive, send):
    async def receive_plain_codes():
        event = await receive()
        if event.get("code") is not None:
            event["code"] = int(event["code"])  # uvicorn's may be a member of an enumeration
        return event

    # It raises for a lifespan scope, as it may: the servers then continue without lifespan.
    await scripted_server.application(scope, receive_plain_codes, send)


async def uvicorn(listener):
    from uvicorn import Config, Server

    ws = sys.argv[2] if sys.argv[2:] else "auto"
    config = Config(application, ws=ws, log_config=None, timeout_graceful_shutdown=1)
    await Server(config).serve([listener])


async def hypercorn(listener):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config, stop = Config(), asyncio.Event()
    config.bind, config.graceful_timeout = [f"fd://{listener.fileno()}"], 0.2
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(application, config, shutdown_trigger=stop.wait)


def serve_until_stopped(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        asyncio.run(serve(listener))


if __name__ == "__main__":
    settings.configure()
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    match sys.argv[1]:
        case "Daphne":
            scripted_server.CONSUMERS["/consumers/Busy"] = Busy.as_asgi()
            short_timeouts = {"websocket_handshake_timeout": 3, "application_close_timeout": 0.1}
            scripted_server.serve(scripted_server.application, **short_timeouts)
        case "uvicorn":
            serve_until_stopped(uvicorn)
        case "hypercorn":
            serve_until_stopped(hypercorn)
