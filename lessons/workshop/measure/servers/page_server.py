"""The server of `bench page`: `python -m lessons.workshop.measure.servers.page_server FOLDER`.

It serves the workshop, with its state in FOLDER, and two additions: an empty view to compare with,
and a consumer that sends as many frames as a client asks for.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import django
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings
from django.http import HttpResponse

BATCH, BATCH_INTERVAL = 50, 0.01  # frames, and seconds: the page's feed loses nothing at this rate
TIMING_HEADER = "Server-Timing"


def timing_middleware(get_response):
    """Report the processor time of a view. Other load on the machine does not change it."""

    def middleware(request):
        started = time.thread_time()
        response = get_response(request)
        response[TIMING_HEADER] = f"own;dur={(time.thread_time() - started) * 1000:.3f}"
        return response

    return middleware


class Flood(AsyncConsumer):
    """Sends as many frames as the client asks for, with pauses."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        for number in range(int(event["text"])):
            if number % BATCH == 0:
                await asyncio.sleep(BATCH_INTERVAL)
            await self.send({"type": "websocket.send", "text": f"frame {number}"})
        await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


def main(folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
    settings.DATABASES["default"]["NAME"] = folder / "db.sqlite3"
    settings.MIDDLEWARE.insert(0, f"{__name__}.timing_middleware")
    django.setup()

    # These imports need the settings.
    from django.core.management import call_command
    from django.urls import path

    from lessons import urls
    from lessons.workshop.student import progress
    from sync_demo.routing import websocket_urlpatterns

    progress.state_dir = lambda: folder
    call_command("migrate", "sessions", verbosity=0)
    urls.urlpatterns.append(path("bare/", lambda request: HttpResponse("bare")))
    websocket_urlpatterns.append(path("ws/flood/", Flood.as_asgi()))

    from lessons.asgi import application
    from lessons.workshop.measure.servers.port_server import serve

    serve(application)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
