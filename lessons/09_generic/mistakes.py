"""Lesson 9: the classic wrong versions of the desk."""

import json

from channels.generic.websocket import AsyncJsonWebsocketConsumer


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


class RightDesk(AsyncJsonWebsocketConsumer):
    """The right desk. Each class below breaks one part of it."""

    caught = (ValueError, RecursionError)

    async def connect(self):
        self.carried_out = 0
        self.commands = {"echo": self.echo, "count": self.count}
        await self.accept()

    async def websocket_receive(self, event):
        try:
            reply = await self.reply_to(event)
        except self.caught:
            await self.refuse_frame()
        else:
            await self.send(reply)

    async def refuse_frame(self):
        await self.send('{"error": "no command in JSON"}')

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


class TrustsItsClient(RightDesk):
    """Assumes that every client sends JSON."""

    diagnosis = "bad-json"
    caught = ()


class HangsUpOnBadJson(RightDesk):
    """Assumes that one wrong frame must end the connection."""

    diagnosis = "closed-early"

    async def refuse_frame(self):
        await self.close(4000)


class SaysNothing(RightDesk):
    """Catches the exception, but sends no answer."""

    diagnosis = "unanswered"

    async def refuse_frame(self):
        pass


class TakesAllJsonForObjects(RightDesk):
    """Assumes that JSON is an object. It may be a list, a string, a number or null."""

    diagnosis = "not-an-object"

    def name_in(self, request):
        return request.get("command")


class ReadsTextOnEveryFrame(RightDesk):
    """Assumes that every frame has a text."""

    diagnosis = "text-on-binary"

    def decode(self, event):
        return json.loads(event["text"], parse_constant=refuse)


class TakesWhatLoadsTakes(RightDesk):
    """Gives bytes to json.loads(), which reads them or raises UnicodeDecodeError."""

    diagnosis = "binary-not-refused"

    def decode(self, event):
        text = event.get("text")
        return json.loads(event.get("bytes") or "" if text is None else text, parse_constant=refuse)


class LooksUpWithoutAsking(RightDesk):
    """Assumes that the command exists."""

    diagnosis = "unknown-command"

    def find(self, name):
        return self.commands[name]


class HashesAnything(RightDesk):
    """Assumes that a command is a str. A list cannot be looked up in a dict."""

    diagnosis = "unhashable-command"

    def command_in(self, request):
        if not isinstance(request, dict) or request.get("command") not in self.commands:
            raise ValueError("no such command")
        return self.commands[request["command"]]


class AsksForAnAttribute(RightDesk):
    """Looks the command up on self, which also has dispatch and websocket_disconnect."""

    diagnosis = "client-picks-handler"

    def find(self, name):
        return getattr(self, name, None)


class DispatchesWhatItIsTold(RightDesk):
    """Gives the request to the dispatch of Channels, where its type chooses the handler."""

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
    """Assumes that json.loads() returns JSON text."""

    diagnosis = "json-confusion"

    def decode(self, event):
        return json.loads(super().decode(event))


class EncodesTwice(RightDesk):
    """Encodes JSON a second time. The client gets a string with quotes in it."""

    diagnosis = "json-confusion"

    def encode(self, answer):
        return json.dumps(super().encode(answer))


class SendsADict(RightDesk):
    """Assumes that Channels turns a dict into JSON."""

    diagnosis = "payload-not-text"

    def encode(self, answer):
        return answer


class WritesPython(RightDesk):
    """Assumes that str() of a dict is JSON."""

    diagnosis = "answer-not-json"

    def encode(self, answer):
        return str(answer)


class PassesInfinityOn(RightDesk):
    """Assumes that json.dumps() always writes JSON. For infinity it writes Infinity."""

    diagnosis = "answer-not-json"

    def encode(self, answer):
        return json.dumps(answer)


class TakesNaN(RightDesk):
    """Assumes that json.loads() accepts only JSON, and refuses NaN in json.dumps() only."""

    diagnosis = "nan-taken-for-json"

    def decode(self, event):
        return json.loads(event.get("text") or "")


class CountsTooSoon(RightDesk):
    """Counts a command before its answer is encoded."""

    diagnosis = "error-counted"

    async def reply_to(self, event):
        request = self.decode(event)
        answer = await self.command_in(request)(request)
        self.carried_out += 1
        return self.encode(answer)


class CatchesValueErrorAlone(RightDesk):
    """Assumes that json.loads() raises only ValueError."""

    diagnosis = "nested-too-deep"
    caught = ValueError


class CountsForEveryone(RightDesk):
    """Keeps the count on the class, which all connections share."""

    diagnosis = "wrong-connection"
    served = 0

    async def count(self, request):
        CountsForEveryone.served = max(CountsForEveryone.served, self.carried_out)
        return {"count": CountsForEveryone.served}


class GenericDesk(AsyncJsonWebsocketConsumer):
    """The right desk on the methods of the generic consumer. Each class below breaks one."""

    async def connect(self):
        self.carried_out = 0
        self.commands = {"echo": RightDesk.echo, "count": RightDesk.count}
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        try:
            await super().receive(text_data, bytes_data)
        except (ValueError, RecursionError):
            await self.send_json({"error": "no command in JSON"})

    @classmethod
    async def decode_json(cls, text_data):
        return json.loads(text_data, parse_constant=refuse)

    @classmethod
    async def encode_json(cls, content):
        return json.dumps(content, allow_nan=False)

    async def receive_json(self, content):
        name = content.get("command") if isinstance(content, dict) else None
        if not isinstance(name, str) or name not in self.commands:
            raise ValueError("no such command")
        await self.send_json(await self.commands[name](self, content))
        self.carried_out += 1


class ForgetsTheBytes(GenericDesk):
    """Overrides receive() without bytes_data. The base class calls receive(bytes_data=...)."""

    diagnosis = "receive-without-bytes"

    async def receive(self, text_data):
        await super().receive(text_data)


class ForgetsTheBaseClass(GenericDesk):
    """Overrides receive() and does not call super().receive(), which decodes the text."""

    diagnosis = "unanswered"

    async def receive(self, text_data=None, bytes_data=None):
        if text_data is None:
            await self.send_json({"error": "no command in JSON"})


class ForgetsTheDecorator(GenericDesk):
    """Copies decode_json() without @classmethod, so self is an argument too many."""

    diagnosis = "generic-arguments"

    async def decode_json(text_data):
        return json.loads(text_data, parse_constant=refuse)


class DecodesWithoutAsync(GenericDesk):
    """Writes def decode_json, as in the sync consumer. The base class awaits what it returns."""

    diagnosis = "generic-not-async"

    @classmethod
    def decode_json(cls, text_data):
        return json.loads(text_data, parse_constant=refuse)


class SendsEncodedJson(GenericDesk):
    """Encodes the answer and calls send_json(), which encodes it again."""

    diagnosis = "json-confusion"

    async def send_json(self, content):
        await super().send_json(json.dumps(content, allow_nan=False))


class CatchesInReceiveJson(GenericDesk):
    """Catches errors in receive_json(). A text that is not JSON never comes that far."""

    diagnosis = "bad-json"

    async def receive(self, text_data=None, bytes_data=None):
        await AsyncJsonWebsocketConsumer.receive(self, text_data, bytes_data)

    async def receive_json(self, content):
        try:
            await super().receive_json(content)
        except ValueError:
            await self.send_json({"error": "no command in JSON"})
