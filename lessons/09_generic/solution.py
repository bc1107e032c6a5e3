"""Lesson 9, solved: a desk that takes commands as JSON."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class Desk(AsyncConsumer):
    async def websocket_connect(self, event):
        self.carried_out = 0
        # A client can only call the methods in this dict.
        self.commands = {"echo": self.echo, "count": self.count}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            # A binary frame has no text, and "" is not JSON. Without parse_constant, Python
            # accepts NaN.
            request = json.loads(event.get("text") or "", parse_constant=refuse)
            command = self.command_in(request)
            # This raises ValueError for 1e999, so it comes before the count.
            reply = json.dumps(await command(request), allow_nan=False)
            self.carried_out += 1
        except (ValueError, RecursionError):  # RecursionError: brackets nested too deep
            reply = json.dumps({"error": "not a command in JSON"})
        await self.send({"type": "websocket.send", "text": reply})

    def command_in(self, request):
        # The JSON may be a list or a number. So may the command.
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
