"""A worker as runworker starts it.

    python -m tests.support.redis.worker URL

It prints what it does.
"""

import asyncio
import signal
import sys

import django
from channels.consumer import AsyncConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter
from django.conf import settings
from django.core.management import call_command

from tests.support.redis.chat_server import layers


class Work(AsyncConsumer):
    """Each job has a number. The long one fails once the process gets a SIGUSR1."""

    async def job_short(self, event):
        print("did", event["number"], flush=True)

    async def job_long(self, event):
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, told.set)
        print("began", event["number"], flush=True)
        await told.wait()
        raise RuntimeError("job failed")


application = ProtocolTypeRouter({"channel": ChannelNameRouter({"jobs": Work.as_asgi()})})

if __name__ == "__main__":
    settings.configure(
        INSTALLED_APPS=["channels"],
        ASGI_APPLICATION="tests.support.redis.worker.application",
        CHANNEL_LAYERS={"default": layers(sys.argv[1])["redis"]},
    )
    django.setup()
    call_command("runworker", "jobs")
