"""Lesson 9, solved: a desk that takes commands as JSON."""

import json

from channels.generic.websocket import AsyncJsonWebsocketConsumer


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class Desk(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.carried_out = 0
        # A client can only call the methods in this dict.
        self.commands = {"echo": self.echo, "count": self.count}
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        try:
            # The base class raises ValueError for a frame without text.
            await super().receive(text_data, bytes_data)
        except (ValueError, RecursionError):  # RecursionError: brackets nested too deep
            await self.send_json({"error": "not a command in JSON"})

    @classmethod
    async def decode_json(cls, text_data):
        # Without parse_constant, Python accepts NaN.
        return json.loads(text_data, parse_constant=refuse)

    @classmethod
    async def encode_json(cls, content):
        return json.dumps(content, allow_nan=False)  # raises ValueError for 1e999

    async def receive_json(self, content):
        # The JSON may be a list or a number. So may the command.
        name = content.get("command") if isinstance(content, dict) else None
        if not isinstance(name, str) or name not in self.commands:
            raise ValueError("no such command")
        await self.send_json(await self.commands[name](content))
        self.carried_out += 1

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}
