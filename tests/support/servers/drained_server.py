"""A real server with the solution of lesson 29: a kitchen that can be drained.

    python3 -m tests.support.servers.drained_server Daphne

Or `uvicorn`, or `hypercorn`. It prints `port NUMBER` when it listens, and `cooking` when a soup
begins. The soup is ready after a request to /cooked/.
"""

import asyncio
import logging
import sys
from types import SimpleNamespace

from django.conf import settings

LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


def drained_kitchen():
    from lessons.workshop.course.lesson_index import find
    from lessons.workshop.engine.world.student_module import load_file

    kitchen = load_file(find("deploy").solution)
    is_cooked = asyncio.Event()

    async def cook(seconds):
        print("cooking", flush=True)
        await is_cooked.wait()

    async def application(scope, receive, send):
        if scope.get("path") == "/cooked/":
            is_cooked.set()
        await kitchen.application(scope, receive, send)

    kitchen.asyncio = SimpleNamespace(sleep=cook)
    return application


if __name__ == "__main__":
    settings.configure(CHANNEL_LAYERS=LAYERS)
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    from tests.support.servers import compared_server, scripted_server

    compared_server.application = drained_kitchen()
    match sys.argv[1]:
        case "Daphne":
            scripted_server.serve(compared_server.application)
        case "uvicorn":
            compared_server.serve_until_stopped(compared_server.uvicorn)
        case "hypercorn":
            compared_server.serve_until_stopped(compared_server.hypercorn)
