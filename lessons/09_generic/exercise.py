"""Lesson 9: a desk that takes commands as JSON.

A command is a JSON object in a text frame. Its answer is one, too:

- `{"command": "echo", "value": ...}` gets `{"value": ...}`, the same JSON value, or `null` without
  a `value`.
- `{"command": "count"}` gets `{"count": 2}` if two earlier commands of this connection, `echo` or
  `count`, succeeded.

Other keys change nothing. Every other frame gets `{"error": "..."}`, a non-empty text of yours, and
no other key:

- text that is not JSON. `NaN`, `Infinity` and `-Infinity` are not JSON, in any key.
- an `echo` whose value contains `1e999`, which Python reads as infinity. In another key, `1e999`
  changes nothing.
- JSON that is not an object, or has no such command.
- JSON that Python cannot read: brackets nested too deep, or numbers with thousands of digits.
- a binary frame.

Never close the connection.
"""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


# The checks look for this name and this base class: keep both.
class Desk(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.carried_out = 0
        await self.accept()

    # TODO 1: answer a frame that is not JSON with an error. Keep the connection open.
    # Override receive, decode_json and encode_json of the base class.

    async def receive_json(self, content):
        # TODO 2: let the client call only the two commands. The content can be any JSON value.
        command = getattr(self, content["command"])
        await self.send_json(await command(content))
        self.carried_out += 1

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}
