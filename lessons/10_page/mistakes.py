"""Lesson 10: the classic wrong versions of the serial."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.http import QueryDict

PARTS = ["The ship", "The island", "The storm", "The letter", "Home"]


class RightSerial(AsyncConsumer):
    """The complete and right serial. Each version below spoils one method."""

    readers = 0

    async def __call__(self, scope, receive, send):
        self.is_reader = False
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.is_reader:
                type(self).readers -= 1

    async def websocket_connect(self, event):
        self.closed = False
        await self.send({"type": "websocket.accept"})
        await self.answer(QueryDict(self.scope["query_string"]).get("after", "0"))

    async def answer(self, after):
        if after not in ("0", "1", "2", "3", "4", "5"):
            await self.close(4400)
        elif after == "5":
            await self.close(1000)
        elif self.is_full():
            await self.close(4013)
        else:
            self.begin(int(after))

    def is_full(self):
        return self.readers >= 3

    def begin(self, last):
        type(self).readers += 1
        self.is_reader = True
        self.last = last

    async def websocket_receive(self, event):
        if self.closed:
            return
        if event.get("text") != "next":
            await self.close(4400)
            return
        await self.send_next()
        if self.last == len(PARTS):
            await self.close(1000)

    async def send_next(self):
        text = f"{self.last + 1} {PARTS[self.last]}"
        await self.send({"type": "websocket.send", "text": text})
        self.last += 1

    async def close(self, code):
        self.closed = True
        await self.send({"type": "websocket.close", "code": code})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class RejectsWhenFull(RightSerial):
    """Rejects the handshake. The page receives 1006, and comes back soon, again and again."""

    diagnosis = "code-before-accept"

    async def websocket_connect(self, event):
        self.closed = False
        if self.is_full():
            await self.close(4013)
        else:
            await super().websocket_connect(event)


class RejectsWithoutACode(RightSerial):
    """Rejects a page whose number is wrong. It cannot see why, and comes back."""

    diagnosis = "refused-without-reason"

    async def websocket_connect(self, event):
        after = QueryDict(self.scope["query_string"]).get("after", "0")
        if after in ("0", "1", "2", "3", "4", "5"):
            await super().websocket_connect(event)
        else:
            await self.send({"type": "websocket.close"})


class UsesTheRegisteredCode(RightSerial):
    """Uses 1013, try again later. Only a server itself may send this code."""

    diagnosis = "forbidden-close-code"

    async def close(self, code):
        await super().close(1013 if code == 4013 else code)


class ClosesWithoutACode(RightSerial):
    """Closes without a code, which means 1000. The page of a client who should wait stays away."""

    diagnosis = "stays-away"

    async def close(self, code):
        if code == 4013:
            self.closed = True
            await self.send({"type": "websocket.close"})
        else:
            await super().close(code)


class UsesOneCode(RightSerial):
    """Closes for every reason with 4013. A page with a wrong number comes back each minute."""

    diagnosis = "comes-back-for-ever"

    async def close(self, code):
        await super().close(4013)


class EndsWithARestart(RightSerial):
    """Closes with 4012 at the end of the serial. The page comes back, and is closed again."""

    diagnosis = "comes-back-for-ever"

    async def close(self, code):
        await super().close(4012 if code == 1000 else code)


class TrustsTheNumber(RightSerial):
    """Calls int() for any text. The exception closes with 1011, and the page comes back."""

    diagnosis = "error-brings-back"

    async def answer(self, after):
        await super().answer(str(int(after)))


class ChecksTheDigits(RightSerial):
    """Believes that isdigit() knows a number. It is true for 05 and for digits of each script."""

    diagnosis = "wrong-number-served"

    async def answer(self, after):
        if after.isdecimal() and len(after) < 20:
            after = str(int(after))
        await super().answer(after)


class BeginsAgain(RightSerial):
    """Ignores the number. After each break, the page gets the first part again."""

    diagnosis = "last-id-ignored"

    def begin(self, last):
        super().begin(0)


class SendsThePartAgain(RightSerial):
    """Takes the number of the last part for that of the next one."""

    diagnosis = "last-id-ignored"

    def begin(self, last):
        super().begin(max(last - 1, 0))


class WaitsForOneMoreFrame(RightSerial):
    """Closes only when the client asks for a part that does not exist."""

    diagnosis = "not-closed-as-asked"

    async def websocket_receive(self, event):
        if self.closed:
            return
        if event.get("text") != "next":
            await self.close(4400)
        elif self.last == len(PARTS):
            await self.close(1000)
        else:
            await self.send_next()


class LetsAFourthIn(RightSerial):
    """Compares with > where == or >= is right."""

    diagnosis = "place-too-many"

    def is_full(self):
        return self.readers > 3


class CountsEachClient(RightSerial):
    """Counts a client before the checks. A closed client keeps its place for ever."""

    diagnosis = "place-lost"

    async def websocket_connect(self, event):
        await super().websocket_connect(event)
        if not self.is_reader:
            type(self).readers += 1


class FreesThePlaceOnDisconnect(RightSerial):
    """Frees the place in websocket_disconnect, which does not run after an exception."""

    diagnosis = "place-lost"

    async def __call__(self, scope, receive, send):
        self.is_reader = False
        await AsyncConsumer.__call__(self, scope, receive, send)

    async def websocket_disconnect(self, event):
        if self.is_reader:
            type(self).readers -= 1
        raise StopConsumer()


class LooksThenWaits(RightSerial):
    """Awaits between the comparison and the count. Two clients see the same free place."""

    diagnosis = "place-too-many"

    async def websocket_connect(self, event):
        self.closed = False
        is_full = self.is_full()
        await self.send({"type": "websocket.accept"})
        await asyncio.sleep(0)
        self.is_full = lambda: is_full
        await self.answer(QueryDict(self.scope["query_string"]).get("after", "0"))


class CountsForItself(RightSerial):
    """Writes to self.readers. Each connection then has its own count."""

    diagnosis = "place-too-many"

    def begin(self, last):
        super().begin(last)
        type(self).readers -= 1
        self.readers += 1
        self.is_reader = False


class FreesAPlaceThatItHasNot(RightSerial):
    """Frees a place at each end. A client that was closed with 4013 has none."""

    diagnosis = "place-given-back"

    async def close(self, code):
        self.is_reader = self.is_reader or code == 4013
        await super().close(code)


class AnswersLateFrames(RightSerial):
    """Believes that no frame arrives after its close."""

    diagnosis = "send-after-close"

    async def close(self, code):
        await super().close(code)
        self.closed = False

    async def websocket_receive(self, event):
        self.last = min(getattr(self, "last", 0), 4)
        await super().websocket_receive(event)
