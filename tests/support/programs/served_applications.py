"""The applications that gunicorn, uvicorn and Granian serve by their own commands.

    gunicorn -k uvicorn_worker.UvicornWorker tests.support.programs.served_applications:sample

Each process of the server imports this module, and prints `process ID`.
"""

import os

from django.conf import settings

from tests.support.servers.drained_server import LAYERS, drained_kitchen

settings.configure(CHANNEL_LAYERS=LAYERS)

from channels.routing import ProtocolTypeRouter  # noqa: E402

from sync_demo.consumers import Echo  # noqa: E402
from tests.support.servers.compared_server import Busy, application, scripted_server  # noqa: E402

scripted_server.CONSUMERS["/consumers/Busy"] = Busy.as_asgi()

echo = ProtocolTypeRouter({"websocket": Echo.as_asgi()})  # the consumer of lesson 2
sample = application  # with the consumers of scripted_server.py
kitchen = drained_kitchen()  # the application of lesson 29

# In one call: the processes share one pipe, and print() may write a line in several parts.
os.write(1, f"process {os.getpid()}\n".encode())
