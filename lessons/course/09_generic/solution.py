"""Lesson 9, solved: a desk that takes commands as JSON."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class Desk(AsyncConsumer):
    async def websocket_connect(self, event):
        self.carried_out = 0
        # All that a client may ask for: a method is on this list, or out of its reach.
        self.commands = {"echo": self.echo, "count": self.count}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            # A binary frame has no text, and "" is not JSON. Python takes NaN for JSON unless
            # parse_constant refuses it.
            request = json.loads(event.get("text") or "", parse_constant=refuse)
            command = self.command_in(request)
            # Encoded here, before it counts: 1e999 was read as infinity, which is not JSON.
            reply = json.dumps(await command(request), allow_nan=False)
            self.carried_out += 1
        except (ValueError, RecursionError):  # the latter for brackets nested too deep
            reply = json.dumps({"error": "not a command in JSON"})
        await self.send({"type": "websocket.send", "text": reply})

    def command_in(self, request):
        # JSON may be a list or a number, and a command may be one too.
        name = request.get("command") if isinstance(request, dict) else None
        if not isinstance(name, str) or name not in self.commands:
            raise ValueError("no such command")
        return self.commands[name]

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}

    async def websocket_disconnect(self, event):
        raise StopConsumer()
