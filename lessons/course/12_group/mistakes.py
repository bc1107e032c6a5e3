"""Lesson 12: the classic wrong versions of the lounge."""

import re

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class RightLounge(AsyncConsumer):
    """The whole lounge, and right; each version that builds on it spoils one method."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.leave()

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await self.tell("someone left")

    async def websocket_connect(self, event):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        if self.fits(name):
            await self.join(f"lounge-{name}")
        else:
            await self.refuse()

    def fits(self, name):
        return re.fullmatch(r"[a-zA-Z0-9_.-]{1,50}", name)

    async def refuse(self):
        await self.send({"type": "websocket.accept"})
        await self.send({"type": "websocket.close", "code": 4004})

    async def join(self, group):
        self.group = group
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.tell("someone came")

    async def tell(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if self.group is not None and event.get("text"):
            await self.tell(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class NeverLeaves(RightLounge):
    """Believes that a group forgets a consumer that has ended."""

    diagnosis = "group-leak"

    async def leave(self):
        await self.tell("someone left")


class LeavesAnotherGroup(RightLounge):
    """Names the group differently as it leaves; group_discard does not mind."""

    diagnosis = "group-leak"

    async def leave(self):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        await self.channel_layer.group_discard(name, self.channel_name)
        await self.tell("someone left")


class LeavesOnDisconnect(RightLounge):
    """Believes that websocket_disconnect is the end of every connection."""

    diagnosis = "group-leak-after-a-crash"

    async def leave(self):
        pass

    async def websocket_disconnect(self, event):
        if self.group is not None:
            await super().leave()
        raise StopConsumer()


class CatchesExceptionsAlone(RightLounge):
    """Leaves after an Exception; CancelledError, which a kill raises, is none."""

    diagnosis = "group-leak-after-a-crash"

    async def __call__(self, scope, receive, send):
        try:
            await AsyncConsumer.__call__(self, scope, receive, send)
        except Exception:
            await self.leave()
            raise
        if self.group is not None:
            await self.leave()


class TellsOnDisconnectAlone(RightLounge):
    """Leaves at the right place, and tells the others where a crash does not come by."""

    diagnosis = "cleanup-skipped"

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_disconnect(self, event):
        if self.group is not None:
            await self.tell("someone left")
        raise StopConsumer()


class CountsOnConnect(RightLounge):
    """Believes that websocket_connect has run wherever the end is reached."""

    diagnosis = "cleanup-raises"

    async def __call__(self, scope, receive, send):
        try:
            await AsyncConsumer.__call__(self, scope, receive, send)
        finally:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            await self.tell("someone left")

    async def refuse(self):
        self.group = "refused"
        await super().refuse()


class TakesTheNameAsItIs(RightLounge):
    """Uses a part of the URL as a group's name; a client may write anything there."""

    diagnosis = "wrong-group-name"

    def fits(self, name):
        return True


class ForgetsTheLength(RightLounge):
    """Looks at the characters, and at no length: 300 of them are no group's name."""

    diagnosis = "room-name-unchecked"

    def fits(self, name):
        return re.fullmatch(r"[a-zA-Z0-9_.-]+", name)


class MatchesALine(RightLounge):
    """Believes that $ is the end; it also stands in front of a line feed at the end."""

    diagnosis = "room-name-unchecked"

    def fits(self, name):
        return re.match(r"^[a-zA-Z0-9_.-]{1,50}$", name)


class MakesTheNameFit(RightLounge):
    """Leaves out what does not fit, and lets everyone in, to the room of another name."""

    diagnosis = "wrong-room"

    def fits(self, name):
        return True

    async def join(self, group):
        await super().join(re.sub(r"[^a-zA-Z0-9]", "", group)[:60])


class KeepsTheRoomOnTheClass(RightLounge):
    """Keeps the group on the class, where the next client's takes its place."""

    diagnosis = "wrong-room"

    async def join(self, group):
        KeepsTheRoomOnTheClass.group = group
        await self.channel_layer.group_add(group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.tell("someone came")


class RefusesWithoutAWord(RightLounge):
    """Closes before the accept: the browser shows 1006, whatever the reason."""

    diagnosis = "refused-without-reason"

    async def refuse(self):
        await self.send({"type": "websocket.close"})


class AcceptsBeforeItJoins(RightLounge):
    """Lets the client in, and joins then: what is said in between, the client misses."""

    diagnosis = "joined-too-late"

    async def join(self, group):
        self.group = group
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.tell("someone came")


class ForgetsToAwaitTheSend(RightLounge):
    """Makes the coroutine, and awaits it nowhere: nobody is told."""

    diagnosis = "never-awaited"

    async def tell(self, text):
        self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})


class TellsItsOwnClient(RightLounge):
    """Takes self.send for the way to all; it leads to one client."""

    diagnosis = "member-missed"

    async def tell(self, text):
        await self.send({"type": "websocket.send", "text": text})
