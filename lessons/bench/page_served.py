"""The server of `bench page`: `python -m lessons.bench.page_served daphne FOLDER`.

The workshop as it is, but for its state, which is in FOLDER, and two things more: a view of nothing
to compare with, and a consumer that sends as many frames as it is told to.
"""

import asyncio
import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")

from django.conf import settings

FOLDER = Path(sys.argv[2])
settings.DATABASES["default"]["NAME"] = FOLDER / "db.sqlite3"
settings.MIDDLEWARE.insert(0, "lessons.bench.own_time.own_time")

import django  # noqa: E402

django.setup()

from channels.consumer import AsyncConsumer  # noqa: E402
from channels.exceptions import StopConsumer  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from lessons import urls  # noqa: E402
from lessons.core import progress  # noqa: E402
from sync_demo.routing import websocket_urlpatterns  # noqa: E402

AT_ONCE, REST = 50, 0.01  # frames, and seconds: as fast as the feed passes them on without a gap


class Flood(AsyncConsumer):
    """`2000` frames as they can be passed on; `2000 at once`: the loop never turns meanwhile."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        count, _, at_once = event["text"].partition(" ")
        for number in range(int(count)):
            if not at_once and number % AT_ONCE == 0:
                await asyncio.sleep(REST)
            await self.send({"type": "websocket.send", "text": f"frame {number}"})
        await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, event):
        raise StopConsumer


if __name__ == "__main__":
    progress.state_dir = lambda: FOLDER
    call_command("migrate", "sessions", verbosity=0)
    urls.urlpatterns.append(path("bare/", lambda request: HttpResponse("bare")))
    websocket_urlpatterns.append(path("ws/flood/", Flood.as_asgi()))

    from lessons.asgi import application
    from lessons.bench.announcing import serve

    serve(ASGIStaticFilesHandler(application))
