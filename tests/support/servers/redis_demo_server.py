"""Lesson 14's consumers on a real Daphne, for tests/real/redis/faults/test_facts_outage.py.

The path `/NAME/ALIAS` leads to the consumer of that name on the layer with that alias. The alias
"memory" is a layer in this process.
"""

import os
import runpy
from pathlib import Path

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

HOST = {"address": os.environ["REDIS_URL"], "socket_timeout": None}
CORE, PUBSUB = "core.RedisChannelLayer", "pubsub.RedisPubSubChannelLayer"


def layer(backend, **config):
    return {"BACKEND": f"channels_redis.{backend}", "CONFIG": {"hosts": [HOST], **config}}


settings.configure(
    CHANNEL_LAYERS={
        "default": layer(CORE),
        "pubsub": layer(PUBSUB, prefix="pubsub"),
        "encrypted": layer(CORE, prefix="encrypted", symmetric_encryption_keys=["a key"]),
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    }
)

from layers_demo.consumers import Siren  # noqa: E402
from tests.support.servers.daphne_server import serve  # noqa: E402

COURSE = Path(__file__).parents[3] / "lessons"
Hotline = runpy.run_path(COURSE / "14_redis" / "solution.py")["Hotline"]


class Plain(Siren):
    """Does not handle an outage, so the server does."""

    __call__ = AsyncConsumer.__call__


class NoGroup(AsyncConsumer):
    """Uses no layer."""

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


CONSUMERS = {consumer.__name__: consumer for consumer in (Siren, Hotline, Plain, NoGroup)}


async def application(scope, receive, send):
    _, name, alias = scope["path"].split("/")
    consumer = type(name, (CONSUMERS[name],), {"channel_layer_alias": alias})
    await consumer.as_asgi()(scope, receive, send)


if __name__ == "__main__":
    serve(application, application_close_timeout=1)
