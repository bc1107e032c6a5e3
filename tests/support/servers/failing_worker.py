"""A worker of `runworker` with a job that can fail. It prints what it does.

python -m tests.support.servers.failing_worker URL
"""

import asyncio
import signal
import sys

import django
from channels.consumer import AsyncConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter
from django.conf import settings
from django.core.management import call_command

from tests.support.servers.room_server import layers


class Work(AsyncConsumer):
    """Each job has a number. The long job fails when the process receives a SIGUSR1."""

    async def job_short(self, event):
        print("did", event["number"], flush=True)

    async def job_long(self, event):
        signalled = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, signalled.set)
        print("began", event["number"], flush=True)
        await signalled.wait()
        raise RuntimeError("job failed")


application = ProtocolTypeRouter({"channel": ChannelNameRouter({"jobs": Work.as_asgi()})})

if __name__ == "__main__":
    settings.configure(
        INSTALLED_APPS=["channels"],
        ASGI_APPLICATION="tests.support.servers.failing_worker.application",
        CHANNEL_LAYERS={"default": layers(sys.argv[1])["redis"]},
    )
    django.setup()
    call_command("runworker", "jobs")
