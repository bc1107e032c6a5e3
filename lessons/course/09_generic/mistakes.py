"""Lesson 9: the classic wrong versions of the desk."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class RightDesk(AsyncConsumer):
    """The whole desk, and right; each version below spoils one method."""

    async def websocket_connect(self, event):
        self.carried_out = 0
        self.commands = {"echo": self.echo, "count": self.count}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            reply = self.encode(await self.answer(self.decode(event)))
        except (ValueError, RecursionError):
            reply = json.dumps({"error": "not JSON"})
        await self.send({"type": "websocket.send", "text": reply})

    def decode(self, event):
        return json.loads(event.get("text") or "")

    def encode(self, answer):
        return json.dumps(answer, allow_nan=False)

    async def answer(self, request):
        name = request.get("command") if isinstance(request, dict) else None
        command = self.find(name) if isinstance(name, str) else None
        if command is None:
            return {"error": "no such command"}
        answer = await command(request)
        self.carried_out += 1
        return answer

    def find(self, name):
        return self.commands.get(name)

    async def echo(self, request):
        return {"value": request.get("value")}

    async def count(self, request):
        return {"count": self.carried_out}

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class TrustsItsClient(RightDesk):
    """Believes that whoever connects sends JSON."""

    diagnosis = "bad-json"

    async def websocket_receive(self, event):
        reply = self.encode(await self.answer(self.decode(event)))
        await self.send({"type": "websocket.send", "text": reply})


class HangsUpOnBadJson(RightDesk):
    """Believes that one wrong frame is a reason to end the connection."""

    diagnosis = "closed-early"

    async def websocket_receive(self, event):
        try:
            reply = self.encode(await self.answer(self.decode(event)))
        except (ValueError, RecursionError):
            await self.send({"type": "websocket.close", "code": 4000})
            return
        await self.send({"type": "websocket.send", "text": reply})


class SaysNothing(RightDesk):
    """Catches what it cannot read, and leaves the client without an answer."""

    diagnosis = "unanswered"

    async def websocket_receive(self, event):
        try:
            reply = self.encode(await self.answer(self.decode(event)))
        except (ValueError, RecursionError):
            return
        await self.send({"type": "websocket.send", "text": reply})


class TakesAllJsonForObjects(RightDesk):
    """Believes that JSON is an object; it may be a list, a string, a number or null."""

    diagnosis = "not-an-object"

    async def answer(self, request):
        command = self.find(request.get("command"))
        if command is None:
            return {"error": "no such command"}
        answer = await command(request)
        self.carried_out += 1
        return answer


class ReadsTextOnEveryFrame(RightDesk):
    """Believes that every frame has a text."""

    diagnosis = "text-on-binary"

    def decode(self, event):
        return json.loads(event["text"])


class TakesWhatLoadsTakes(RightDesk):
    """Hands bytes to json.loads(), which reads them too, or raises UnicodeDecodeError."""

    diagnosis = "binary-not-refused"

    def decode(self, event):
        text = event.get("text")
        return json.loads(event.get("bytes") or "" if text is None else text)


class LooksUpWithoutAsking(RightDesk):
    """Takes for granted that the command is on the list."""

    diagnosis = "unknown-command"

    def find(self, name):
        return self.commands[name]


class HashesAnything(RightDesk):
    """Believes that what is a command is a str; a list cannot even be looked up."""

    diagnosis = "unhashable-command"

    async def answer(self, request):
        if not isinstance(request, dict) or request.get("command") not in self.commands:
            return {"error": "no such command"}
        answer = await self.commands[request["command"]](request)
        self.carried_out += 1
        return answer


class AsksForAnAttribute(RightDesk):
    """Looks the command up on self, where `dispatch` and websocket_disconnect stand too."""

    diagnosis = "client-picks-handler"

    def find(self, name):
        return getattr(self, name, None)


class HidesTheUnderscored(RightDesk):
    """Refuses what begins with an underscore, and believes that the rest may be reached."""

    diagnosis = "client-picks-handler"

    def find(self, name):
        return None if name.startswith("_") else getattr(self, name, None)


class DispatchesWhatItIsTold(RightDesk):
    """Hands the request to Channels' own dispatch, where the type picks the handler."""

    diagnosis = "client-picks-handler"

    async def answer(self, request):
        if isinstance(request, dict) and "type" in request:
            await self.dispatch(request)
        return await super().answer(request)


class DecodesTwice(RightDesk):
    """Believes that what json.loads() returns is still JSON."""

    diagnosis = "json-confusion"

    async def answer(self, request):
        return await super().answer(json.loads(request))


class TreatsTextAsADict(RightDesk):
    """Believes that the text of a frame is a dict already."""

    diagnosis = "json-confusion"

    def decode(self, event):
        return event.get("text") or ""

    async def answer(self, request):
        return await self.find(request["command"])(request)


class EncodesTwice(RightDesk):
    """Encodes JSON once more: the client gets a string with quotes in it."""

    diagnosis = "json-confusion"

    def encode(self, answer):
        return json.dumps(json.dumps(answer))


class SendsADict(RightDesk):
    """Believes that a dict is turned into JSON on its way out."""

    diagnosis = "payload-not-text"

    def encode(self, answer):
        return answer


class WritesPython(RightDesk):
    """Takes Python's way of writing a dict for JSON."""

    diagnosis = "answer-not-json"

    def encode(self, answer):
        return str(answer)


class PassesNaNOn(RightDesk):
    """Believes that json.dumps() writes JSON; for NaN it writes what no browser reads."""

    diagnosis = "answer-not-json"

    def encode(self, answer):
        return json.dumps(answer)


class CatchesValueErrorAlone(RightDesk):
    """Believes that json.loads() fails with ValueError alone."""

    diagnosis = "nested-too-deep"

    async def websocket_receive(self, event):
        try:
            reply = self.encode(await self.answer(self.decode(event)))
        except ValueError:
            reply = json.dumps({"error": "not JSON"})
        await self.send({"type": "websocket.send", "text": reply})


class CountsForEveryone(RightDesk):
    """Keeps the count on the class, where all connections add to it."""

    diagnosis = "wrong-connection"
    served = 0

    async def count(self, request):
        CountsForEveryone.served = max(CountsForEveryone.served, self.carried_out)
        return {"count": CountsForEveryone.served}
