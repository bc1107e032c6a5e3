"""Lesson 9, solved: a desk that takes commands as JSON."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Desk(AsyncConsumer):
    async def websocket_connect(self, event):
        self.carried_out = 0
        # All that a client may ask for: a method is on this list, or out of its reach.
        self.commands = {"echo": self.echo, "count": self.count}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            # A binary frame has no text, and "" is not JSON either.
            request = json.loads(event.get("text") or "")
            # Encoded in here, since what was read may be what cannot be written: NaN, for one,
            # which only allow_nan=False refuses.
            reply = json.dumps(await self.answer(request), allow_nan=False)
        except (ValueError, RecursionError):  # the latter for brackets nested too deep
            reply = json.dumps({"error": "not JSON"})
        await self.send({"type": "websocket.send", "text": reply})

    async def answer(self, request):
        # JSON may be a list or a number, and a command may be one too.
        name = request.get("command") if isinstance(request, dict) else None
        command = self.commands.get(name) if isinstance(name, str) else None
        if command is None:
            return {"error": "no such command"}
        answer = await command(request)
        self.carried_out += 1
        return answer

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}

    async def websocket_disconnect(self, event):
        raise StopConsumer()
