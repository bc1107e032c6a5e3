"""Lesson 9: a desk that takes commands as JSON.

A text frame holds a JSON object with a `command`, and each gets one answer, a JSON object in a text
frame. `{"command": "echo", "value": ...}` is answered with `{"value": ...}`, the same value, null
where none is given. `{"command": "count"}` is answered with `{"count": 2}`: how many commands the
desk has carried out before on this connection, those of `count` included. Other keys are ignored.

All else is answered with `{"error": "..."}`, a string in your own words, and is not counted: text
that is not JSON; JSON that is not an object; a command that is not one of these two; a binary
frame. `NaN` and `Infinity` are not JSON, wherever they stand in the text. JSON that Python cannot
read, such as brackets nested too deep, and an echo of `1e999`, which Python reads as infinity, get
an error too. The connection stays open, whatever comes.
"""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class Desk(AsyncConsumer):
    async def websocket_connect(self, event):
        self.carried_out = 0
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        # TODO 1: answer what is no JSON object with an error, and stay alive.
        request = json.loads(event["text"])
        # TODO 2: let the client ask for what is on a list of yours, and for nothing else.
        command = getattr(self, request["command"])
        answer = await command(request)
        self.carried_out += 1
        await self.send({"type": "websocket.send", "text": json.dumps(answer)})

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}

    async def websocket_disconnect(self, event):
        raise StopConsumer()
