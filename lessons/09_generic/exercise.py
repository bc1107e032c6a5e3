"""Lesson 9: a desk that takes commands as JSON.

A command is a text frame that holds a JSON object with a `command`. There are two commands, and
each gets one answer, a JSON object in a text frame:

- `{"command": "echo", "value": ...}` is answered with `{"value": ...}`, the same JSON value. If the
  request has no `value`, the answer is `{"value": null}`.
- `{"command": "count"}` is answered with, for example, `{"count": 2}`: the number of commands of
  this connection that succeeded before this one. A `count` that succeeded is one of them. An error
  is not.

Other keys in the request change nothing.

Every other frame is answered with `{"error": "..."}`, a text in your own words, and it does not
count. The text is not empty, and `error` is the only key. Such frames are:

- text that is not JSON. `NaN`, `Infinity` and `-Infinity` are not JSON, even in a key that the desk
  does not use.
- JSON that is not an object, and an object without one of the two commands.
- JSON that Python cannot read: brackets nested too deep, or a number with thousands of digits.
- an `echo` whose value contains `1e999`. Python reads it as infinity, and JSON has no infinity. In
  another key, `1e999` changes nothing.
- a binary frame, even if its bytes are JSON.

The desk never closes the connection.
"""

from channels.generic.websocket import AsyncJsonWebsocketConsumer


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
