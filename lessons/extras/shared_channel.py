"""A radio for many clients: all clients of one process share one channel.

In the other demos each client has a channel. There, a message to a thousand clients of one process
is stored, read and dispatched a thousand times. Here it is read once, and a client costs a frame.
"""

import asyncio
from contextlib import suppress

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

GROUP = "radio"
MAX_LENGTH = 1000  # characters
CONNECT_AGAIN = 4503  # the code of the close after the channel layer has failed
PAUSE_AFTER = 100  # frames, after which the event loop may do other work


class Receiver:
    """Receives the messages of the group, once for all clients of this process."""

    def __init__(self):
        self.clients = {}  # the consumer of each client, and whether it has accepted its client
        self.task = None  # runs while there are clients

    async def join(self, client):
        """Return when messages arrive. Raises what the channel layer raises."""
        self.clients[client] = False
        if self.task is None or self.task.done():
            self.started = asyncio.get_running_loop().create_future()
            self.task = asyncio.create_task(self.run(self.started))
        started, task = self.started, self.task
        await asyncio.wait([started, task], return_when=asyncio.FIRST_COMPLETED)
        if not started.done():
            task.result()

    def leave(self, client):
        self.clients.pop(client, None)
        if self.task and not self.clients:
            self.task.cancel()
            self.task = None

    async def run(self, started):
        layer = get_channel_layer()
        channel = await layer.new_channel()
        try:
            await layer.group_add(GROUP, channel)
            started.set_result(None)
            while True:
                message = await layer.receive(channel)
                await self.send_to_all({"type": "websocket.send", "text": message["text"]})
        except Exception:
            # A client does not notice that it hears nothing. So let all of them connect again.
            await self.send_to_all({"type": "websocket.close", "code": CONNECT_AGAIN})
            raise
        finally:
            await layer.group_discard(GROUP, channel)

    async def send_to_all(self, event):
        accepted = [client for client, is_accepted in self.clients.items() if is_accepted]
        for number, client in enumerate(accepted, start=1):
            if client in self.clients:  # it has not left during a pause
                with suppress(Exception):  # one client that is leaving must not stop the others
                    await client.send(event)
            if number % PAUSE_AFTER == 0:
                await asyncio.sleep(0)


class Radio(AsyncConsumer):
    """Each client may speak, and the clients of all processes hear it."""

    channel_layer_alias = ""  # there is no such layer, so a client has no channel
    receiver = Receiver()

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.receiver.leave(self)

    async def dispatch(self, message):
        # Lesson 30: no handler makes a query, so none needs a check of the database connections.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, event):
        await self.receiver.join(self)
        await self.send({"type": "websocket.accept"})
        self.receiver.clients[self] = True  # from now on, it may get frames

    async def websocket_receive(self, event):
        text = event.get("text")
        if text and len(text) <= MAX_LENGTH:
            message = {"type": "radio.message", "text": text}
            await get_channel_layer().group_send(GROUP, message)

    async def websocket_disconnect(self, event):
        raise StopConsumer()
