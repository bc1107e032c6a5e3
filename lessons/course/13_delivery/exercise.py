"""Lesson 13: a waiter who knows what was not delivered.

A text frame is an order, an empty one too. A binary frame is not an order; it gets no answer, and
the connection stays open. An order is sent to the channel `kitchen` as a message of type
`order.new` with a `number` (this client's orders, 1, 2, 3), the `dish` (the frame's text), the time
it was taken `at`, as ISO 8601 text with its UTC offset, and what the kitchen has got from this
client `earlier`: a dict such as `{"1": "soup"}`. The client receives `1 ordered`. If the kitchen's
channel has no room for order 2, the client receives `2 not ordered` at once, the kitchen never gets
it, and the next one is number 3. Orders are sent and answered one after the other.

The kitchen numbers what it announces to the group `waiters`: `{"type": "dish.ready", "number": 7,
"dish": "tea"}`. Each client receives `tea is ready`. If announcements were lost in between, it
first receives their count: after 7 and then 10, `2 missed`. What came before the first announcement
that a client receives is not missed. A number that is not higher than the one before begins a new
count. The numbers are integers, and a count may begin with any of them, 0 included.
"""

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer
from django.utils import timezone


class Waiter(AsyncConsumer):
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
            "at": timezone.now(),
            "earlier": self.earlier,
        }
        # TODO 1: send what can be packed, and tell the client where there is no room for it.
        await self.channel_layer.send("kitchen", order)
        self.earlier[self.number] = dish
        await self.tell(f"{self.number} ordered")

    async def dish_ready(self, event):
        # TODO 2: tell the client how many announcements were missed.
        await self.tell(f"{event['dish']} is ready")

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()
