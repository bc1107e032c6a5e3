"""Lesson 13: the classic wrong versions of the waiter."""

import asyncio
import json

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer
from django.utils import timezone


class RightWaiter(AsyncConsumer):
    """The whole waiter, and right; each version below spoils one method."""

    last = None

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
        if event.get("text") is not None:  # a binary frame is not an order
            self.number += 1
            await self.take_order(event["text"])

    async def take_order(self, dish):
        try:
            await self.pass_on(self.order(dish))
        except ChannelFull:
            await self.tell(f"{self.number} not ordered")
        else:
            self.earlier[str(self.number)] = dish
            await self.tell(f"{self.number} ordered")

    def order(self, dish):
        return {
            "type": "order.new",
            "number": self.number,
            "dish": dish,
            "at": timezone.now().isoformat(),
            "earlier": self.earlier,
        }

    async def pass_on(self, order):
        await self.channel_layer.send("kitchen", order)

    async def dish_ready(self, event):
        if self.last is not None and event["number"] > self.last + 1:
            await self.tell(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.tell(f"{event['dish']} is ready")

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class SendsADatetime(RightWaiter):
    """Believes that what the layer in memory takes, any layer takes."""

    diagnosis = "not-serializable"

    def order(self, dish):
        return {**super().order(dish), "at": timezone.now()}


class KeysByNumber(RightWaiter):
    """Believes that what could be sent can be received."""

    diagnosis = "int-keys"

    def order(self, dish):
        by_number = {int(number): dish for number, dish in self.earlier.items()}
        return {**super().order(dish), "earlier": by_number}


class SendsJson(RightWaiter):
    """Packs by itself what the layer packs anyway, and what has to be a dict."""

    diagnosis = "message-not-a-dict"

    async def pass_on(self, order):
        await self.channel_layer.send("kitchen", json.dumps(order))


class DiesOfAFullChannel(RightWaiter):
    """Believes that there is always room."""

    diagnosis = "channel-full"

    async def take_order(self, dish):
        await self.pass_on(self.order(dish))
        self.earlier[str(self.number)] = dish
        await self.tell(f"{self.number} ordered")


class TellsOfNoLoss(RightWaiter):
    """Catches ChannelFull, and goes on as though nothing were lost."""

    diagnosis = "loss-not-reported"

    async def pass_on(self, order):
        try:
            await super().pass_on(order)
        except ChannelFull:
            pass


class CatchesEverything(RightWaiter):
    """Takes every exception for a full channel, its own bug too: the order cannot be packed."""

    diagnosis = "swallowed-error"

    async def take_order(self, dish):
        try:
            await self.pass_on({**self.order(dish), "at": timezone.now()})
        except Exception:
            await self.tell(f"{self.number} not ordered")
        else:
            self.earlier[str(self.number)] = dish
            await self.tell(f"{self.number} ordered")


class WaitsForRoom(RightWaiter):
    """Tries until there is room; meanwhile this client's every other event waits, too."""

    diagnosis = "loop-in-handler"

    async def pass_on(self, order):
        while True:
            try:
                return await super().pass_on(order)
            except ChannelFull:
                await asyncio.sleep(1)


class TriesAgainLater(RightWaiter):
    """Leaves it to a task to try again, and tells the client that it was not ordered."""

    diagnosis = "delivery-assumed"

    async def pass_on(self, order):
        try:
            await super().pass_on(order)
        except ChannelFull:
            self.again = asyncio.create_task(self.keep_trying(order))
            raise

    async def keep_trying(self, order):
        while True:
            await asyncio.sleep(0.1)
            try:
                return await super().pass_on(order)
            except ChannelFull:
                pass


class OrdersByGroup(RightWaiter):
    """Flees from ChannelFull to group_send, which raises nothing and promises nothing."""

    diagnosis = "delivery-assumed"

    async def pass_on(self, order):
        await self.channel_layer.group_send("kitchen", order)


class TrustsTheGroup(RightWaiter):
    """Believes that a member gets each message."""

    diagnosis = "delivery-assumed"

    async def dish_ready(self, event):
        await self.tell(f"{event['dish']} is ready")


class CountsFromOne(RightWaiter):
    """Believes that a client hears the first announcement of all; it may come at any time."""

    diagnosis = "false-gap"
    last = 0


class MissesLessThanNothing(RightWaiter):
    """Asks whether the number is another than expected; after a new count it is a lower one."""

    diagnosis = "false-gap"

    async def dish_ready(self, event):
        if self.last is not None and event["number"] != self.last + 1:
            await self.tell(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.tell(f"{event['dish']} is ready")


class SharesTheOrders(RightWaiter):
    """Keeps all clients' orders in one dict."""

    diagnosis = "wrong-connection"
    orders = {}

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        self.earlier = self.orders
        self.earlier.clear()
