"""The server of `bench soak`: `python -m lessons.bench.soaked QUALIFIED.NAME`, on Daphne.

Its WebSockets all lead to that consumer; an HTTP request is told what the process holds.
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

from lessons.bench.announcing import serve  # noqa: E402


def held() -> dict[str, float]:
    """What connections may leave behind; `blocks` are the pieces of memory that Python has in use.

    The process's memory says less: what is freed stays with the allocator, for the next ones.
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
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(held()).encode()})

    serve(application)


if __name__ == "__main__":
    main(sys.argv[1])
