"""Lesson 9: a desk that takes commands as JSON.

A command is a JSON object in a text frame. Its answer is one, too:

- `{"command": "echo", "value": ...}` gets `{"value": ...}`, the same JSON value, or `null` without
  a `value`.
- `{"command": "count"}` gets `{"count": 2}` if two commands of this connection, earlier `count`s
  too, succeeded before it.

Other keys change nothing. Every other frame gets `{"error": "..."}`, a non-empty text of yours, and
no other key:

- text that is not JSON. `NaN`, `Infinity` and `-Infinity` are not JSON, in any key.
- JSON that is not an object, or has no such command.
- JSON that Python cannot read: brackets nested too deep, or numbers with thousands of digits.
- an `echo` whose value contains `1e999`, which Python reads as infinity. In another key, `1e999`
  changes nothing.
- a binary frame.

Never close the connection.
"""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


# The checks look for this name and this base class: keep both.
class Desk(AsyncJsonWebsocketConsumer):
    async def connect(self):
        self.carried_out = 0
        await self.accept()

    # TODO 1: answer a frame that is not a JSON object with an error. Keep the connection open.
    # The methods receive, decode_json and encode_json of the base class are yours to override.

    async def receive_json(self, content):
        # TODO 2: let the client call only the two commands.
        command = getattr(self, content["command"])
        await self.send_json(await command(content))
        self.carried_out += 1

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}
