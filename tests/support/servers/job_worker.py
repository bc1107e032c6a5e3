"""A project with one consumer for jobs, run by `runworker`, for test_facts_worker.py.

It prints what the consumer does and what the worker logs, one line each.
"""

import asyncio
import os
import sys

import django
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter
from django.conf import settings
from django.core.management import execute_from_command_line

GATES = {}


def gate(name):
    return GATES.setdefault(name, asyncio.Event())


class Jobs(AsyncConsumer):
    made = 0

    def __init__(self):
        Jobs.made += 1
        self.number = Jobs.made

    async def job_say(self, event):
        print(event["text"], "by", self.number, flush=True)

    async def job_hold(self, event):
        """Wait until a job of another channel opens the gate."""
        print(self.scope["channel"], "holds", flush=True)
        await gate(event["gate"]).wait()
        print(self.scope["channel"], "goes on", flush=True)

    async def job_open(self, event):
        gate(event["gate"]).set()

    async def job_raise(self, event):
        raise LookupError(event["text"])

    async def job_stop(self, event):
        raise StopConsumer()

    async def job_send(self, event):
        await self.send({"type": "websocket.send", "text": "hello"})


class Routes(dict):
    """Every channel has a consumer, except one."""

    def __contains__(self, channel):
        return channel != "unrouted"

    def __missing__(self, channel):
        return Jobs.as_asgi()


application = ProtocolTypeRouter({"channel": ChannelNameRouter(Routes())})

if __name__ == "__main__":
    url, prefix, *channels = sys.argv[1:]
    host = {"address": url, "socket_timeout": None}
    settings.configure(
        INSTALLED_APPS=["channels"],
        ASGI_APPLICATION=f"{__name__}.application",
        CHANNEL_LAYERS={
            "default": {
                "BACKEND": "channels_redis.core.RedisChannelLayer",
                "CONFIG": {"hosts": [host], "prefix": prefix},
            }
        },
        LOGGING={
            "version": 1,
            "formatters": {"lines": {"format": "log %(message)s"}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stdout",
                    "formatter": "lines",
                }
            },
            "root": {"handlers": ["out"], "level": "INFO"},
        },
    )
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    django.setup()
    execute_from_command_line(["manage.py", "runworker", *channels])
