"""Lesson 13, solved: a waiter who knows what was not delivered."""

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer
from django.utils import timezone


class Waiter(AsyncConsumer):
    last = None  # number of the announcement heard last

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("waiters", self.channel_name)

    async def websocket_connect(self, event):
        self.number = 0
        self.earlier = {}
        await self.channel_layer.group_add("waiters", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        dish = event.get("text")
        if dish is None:  # a binary frame is not an order
            return
        self.number += 1
        order = {
            "type": "order.new",
            "number": self.number,
            "dish": dish,
            "at": timezone.now().isoformat(),  # msgpack knows no datetime
            "earlier": self.earlier,
        }
        try:
            await self.channel_layer.send("kitchen", order)
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            # Only now is it the kitchen's; and a key has to be text.
            self.earlier[str(self.number)] = dish
            await self.tell(f"{self.number} ordered")

    async def dish_ready(self, event):
        # The numbers are all that shows a loss: group_send tells nobody.
        if self.last is not None and event["number"] > self.last + 1:
            await self.tell(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.tell(f"{event['dish']} is ready")

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
