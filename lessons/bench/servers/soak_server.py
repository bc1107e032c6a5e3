"""The server of the soak of `bench chat`, on Daphne.

`python -m lessons.bench.servers.soak_server QUALIFIED.NAME` serves that consumer on every path. An
HTTP request is answered with what the process holds.
"""

import asyncio
import gc
import json
import os
import sys
import threading

import django
import psutil

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
django.setup()

from channels.layers import get_channel_layer  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402

from lessons.bench.servers.port_server import serve  # noqa: E402


def held_resources() -> dict[str, float]:
    """What connections can leave behind. `blocks` are the pieces of memory that Python uses.

    The memory of the process says less, because Python keeps freed memory for the next objects.
    """
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "groups": len(get_channel_layer().groups),
        "blocks": sys.getallocatedblocks(),
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20, 1),
    }


def main(name: str) -> None:
    consumer = import_string(name).as_asgi()

    async def application(scope, receive, send):
        if scope["type"] == "websocket":
            await consumer(scope, receive, send)
            return
        body = json.dumps(held_resources()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    serve(application)


if __name__ == "__main__":
    main(sys.argv[1])
