"""Lesson 13: the classic wrong versions of the waiter."""

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class RightWaiter(AsyncConsumer):
    """The right waiter. Each version below breaks one method."""

    last = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("waiters", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("waiters", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        pass

    async def dish_ready(self, event):
        if self.last is not None and event["number"] > self.last + 1:
            await self.send_text(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.send_text(f"{event['dish']} is ready")

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class TrustsTheGroup(RightWaiter):
    """Believes that a member receives every message of its group."""

    diagnosis = "delivery-assumed"

    async def dish_ready(self, event):
        await self.send_text(f"{event['dish']} is ready")


class CountsFromOne(RightWaiter):
    """Believes that each client receives announcement 1; a client may connect at any time."""

    diagnosis = "false-gap"
    last = 0


class CountsArrivals(RightWaiter):
    """Compares the number with how many announcements this client has received."""

    diagnosis = "false-gap"
    arrived = 0

    async def dish_ready(self, event):
        self.arrived += 1
        if event["number"] > self.arrived:
            await self.send_text(f"{event['number'] - self.arrived} missed")
        await self.send_text(f"{event['dish']} is ready")


class ReportsNegativeGaps(RightWaiter):
    """Compares with != instead of >; after a new count, the number is lower."""

    diagnosis = "false-gap"

    async def dish_ready(self, event):
        if self.last is not None and event["number"] != self.last + 1:
            await self.send_text(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        await self.send_text(f"{event['dish']} is ready")


class KeepsTheHighestNumber(RightWaiter):
    """Keeps the highest number instead of the last one, so a new count shows no gap."""

    diagnosis = "gap-not-reported"

    async def dish_ready(self, event):
        highest = self.last
        await super().dish_ready(event)
        if highest is not None:
            self.last = max(highest, event["number"])


class SharesTheNumber(RightWaiter):
    """Keeps the last number on the class, so the first client's handler changes it for all."""

    diagnosis = "wrong-connection"

    async def dish_ready(self, event):
        last, type(self).last = self.last, event["number"]
        if last is not None and event["number"] > last + 1:
            await self.send_text(f"{event['number'] - last - 1} missed")
        await self.send_text(f"{event['dish']} is ready")


class ChangesTheEvent(RightWaiter):
    """Writes into the event; on Redis, all members of a process receive the same dict."""

    diagnosis = "event-changed"

    async def dish_ready(self, event):
        if self.last is not None and event["number"] > self.last + 1:
            await self.send_text(f"{event['number'] - self.last - 1} missed")
        self.last = event["number"]
        event["dish"] += " is ready"
        await self.send_text(event["dish"])
