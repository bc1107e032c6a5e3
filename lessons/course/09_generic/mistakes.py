"""Lesson 9: the classic wrong versions of the desk."""

import json

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class RightDesk(AsyncConsumer):
    """The whole desk, and right; each version below spoils one part."""

    caught = (ValueError, RecursionError)

    async def websocket_connect(self, event):
        self.carried_out = 0
        self.commands = {"echo": self.echo, "count": self.count}
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            reply = await self.reply_to(event)
        except self.caught:
            await self.refuse_frame()
        else:
            await self.send({"type": "websocket.send", "text": reply})

    async def refuse_frame(self):
        await self.send({"type": "websocket.send", "text": '{"error": "no command in JSON"}'})

    async def reply_to(self, event):
        request = self.decode(event)
        reply = self.encode(await self.command_in(request)(request))
        self.carried_out += 1
        return reply

    def decode(self, event):
        return json.loads(event.get("text") or "", parse_constant=refuse)

    def encode(self, answer):
        return json.dumps(answer, allow_nan=False)

    def command_in(self, request):
        name = self.name_in(request)
        command = self.find(name) if isinstance(name, str) else None
        if command is None:
            raise ValueError("no such command")
        return command

    def name_in(self, request):
        return request.get("command") if isinstance(request, dict) else None

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
    caught = ()


class HangsUpOnBadJson(RightDesk):
    """Believes that one wrong frame is a reason to end the connection."""

    diagnosis = "closed-early"

    async def refuse_frame(self):
        await self.send({"type": "websocket.close", "code": 4000})


class SaysNothing(RightDesk):
    """Catches what it cannot read, and leaves the client without an answer."""

    diagnosis = "unanswered"

    async def refuse_frame(self):
        pass


class TakesAllJsonForObjects(RightDesk):
    """Believes that JSON is an object; it may be a list, a string, a number or null."""

    diagnosis = "not-an-object"

    def name_in(self, request):
        return request.get("command")


class ReadsTextOnEveryFrame(RightDesk):
    """Believes that every frame has a text."""

    diagnosis = "text-on-binary"

    def decode(self, event):
        return json.loads(event["text"], parse_constant=refuse)


class TakesWhatLoadsTakes(RightDesk):
    """Hands bytes to json.loads(), which reads them too, or raises UnicodeDecodeError."""

    diagnosis = "binary-not-refused"

    def decode(self, event):
        text = event.get("text")
        return json.loads(event.get("bytes") or "" if text is None else text, parse_constant=refuse)


class LooksUpWithoutAsking(RightDesk):
    """Takes for granted that the command is on the list."""

    diagnosis = "unknown-command"

    def find(self, name):
        return self.commands[name]


class HashesAnything(RightDesk):
    """Believes that what is a command is a str; a list cannot even be looked up."""

    diagnosis = "unhashable-command"

    def command_in(self, request):
        if not isinstance(request, dict) or request.get("command") not in self.commands:
            raise ValueError("no such command")
        return self.commands[request["command"]]


class AsksForAnAttribute(RightDesk):
    """Looks the command up on self, where `dispatch` and websocket_disconnect stand too."""

    diagnosis = "client-picks-handler"

    def find(self, name):
        return getattr(self, name, None)


class DispatchesWhatItIsTold(RightDesk):
    """Hands the request to Channels' own dispatch, where the type picks the handler."""

    diagnosis = "client-picks-handler"

    def decode(self, event):
        self.request = super().decode(event)
        return self.request

    async def reply_to(self, event):
        reply = await super().reply_to(event)
        if "type" in self.request:
            await self.dispatch(self.request)
        return reply


class DecodesTwice(RightDesk):
    """Believes that what json.loads() returns is still JSON."""

    diagnosis = "json-confusion"

    def decode(self, event):
        return json.loads(super().decode(event))


class EncodesTwice(RightDesk):
    """Encodes JSON once more: the client gets a string with quotes in it."""

    diagnosis = "json-confusion"

    def encode(self, answer):
        return json.dumps(super().encode(answer))


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


class PassesInfinityOn(RightDesk):
    """Believes that json.dumps() writes JSON; for infinity it writes what no browser reads."""

    diagnosis = "answer-not-json"

    def encode(self, answer):
        return json.dumps(answer)


class TakesNaN(RightDesk):
    """Believes that json.loads() takes JSON alone, and leaves NaN to json.dumps()."""

    diagnosis = "nan-taken-for-json"

    def decode(self, event):
        return json.loads(event.get("text") or "")


class CountsTooSoon(RightDesk):
    """Counts a command before its answer could be encoded."""

    diagnosis = "error-counted"

    async def reply_to(self, event):
        request = self.decode(event)
        answer = await self.command_in(request)(request)
        self.carried_out += 1
        return self.encode(answer)


class CatchesValueErrorAlone(RightDesk):
    """Believes that json.loads() fails with ValueError alone."""

    diagnosis = "nested-too-deep"
    caught = ValueError


class CountsForEveryone(RightDesk):
    """Keeps the count on the class, where all connections add to it."""

    diagnosis = "wrong-connection"
    served = 0

    async def count(self, request):
        CountsForEveryone.served = max(CountsForEveryone.served, self.carried_out)
        return {"count": CountsForEveryone.served}
