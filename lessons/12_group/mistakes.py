"""Lesson 12: the classic wrong versions of the lounge."""

import re

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer


class RightLounge(AsyncConsumer):
    """The right lounge. Each class below breaks one part of it."""

    group = None

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.group is not None:
                await self.leave()

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)
        await self.send_news("someone left")

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
        await self.send({"type": "websocket.close", "code": 4400})

    async def join(self, group):
        self.group = group
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send_news("someone came")

    async def send_news(self, text):
        await self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})

    async def lounge_news(self, event):
        await self.send({"type": "websocket.send", "text": event["text"]})

    async def websocket_receive(self, event):
        if self.group is not None and event.get("text"):
            await self.send_news(f"someone: {event['text']}")

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class NeverLeaves(RightLounge):
    """Assumes that a group forgets a consumer that has ended."""

    diagnosis = "group-leak"

    async def leave(self):
        await self.send_news("someone left")


class LeavesAnotherGroup(RightLounge):
    """Uses another name for the group when it leaves. group_discard raises no error."""

    diagnosis = "group-leak"

    async def leave(self):
        name = self.scope["url_route"]["kwargs"]["room_name"]
        await self.channel_layer.group_discard(name, self.channel_name)
        await self.send_news("someone left")


class LeavesOnDisconnect(RightLounge):
    """Assumes that every connection ends with websocket_disconnect."""

    diagnosis = "group-leak-after-a-crash"

    async def leave(self):
        pass

    async def websocket_disconnect(self, event):
        if self.group is not None:
            await super().leave()
        raise StopConsumer()


class CatchesExceptionsAlone(RightLounge):
    """Leaves after an Exception. A kill raises CancelledError, which is not an Exception."""

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
    """Leaves in the right place, but sends the news in websocket_disconnect."""

    diagnosis = "cleanup-skipped"

    async def leave(self):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def websocket_disconnect(self, event):
        if self.group is not None:
            await self.send_news("someone left")
        raise StopConsumer()


class CountsOnConnect(RightLounge):
    """Assumes that websocket_connect has always run before the end."""

    diagnosis = "cleanup-raises"

    async def __call__(self, scope, receive, send):
        try:
            await AsyncConsumer.__call__(self, scope, receive, send)
        finally:
            await self.channel_layer.group_discard(self.group, self.channel_name)
            await self.send_news("someone left")

    async def refuse(self):
        self.group = "refused"
        await super().refuse()


class TakesTheNameAsItIs(RightLounge):
    """Uses a part of the URL as a group's name. A client may write anything there."""

    diagnosis = "wrong-group-name"

    def fits(self, name):
        return True


class ForgetsTheLength(RightLounge):
    """Checks the characters, but not the length."""

    diagnosis = "room-name-unchecked"

    def fits(self, name):
        return re.fullmatch(r"[a-zA-Z0-9_.-]+", name)


class MatchesALine(RightLounge):
    """Assumes that $ is the end. It also matches before a line feed at the end."""

    diagnosis = "room-name-unchecked"

    def fits(self, name):
        return re.match(r"^[a-zA-Z0-9_.-]{1,50}$", name)


class MakesTheNameFit(RightLounge):
    """Removes invalid characters, so a client enters the room of another name."""

    diagnosis = "wrong-room"

    def fits(self, name):
        return True

    async def join(self, group):
        await super().join(re.sub(r"[^a-zA-Z0-9]", "", group)[:60])


class KeepsTheRoomOnTheClass(RightLounge):
    """Keeps the group on the class, where the next client replaces it."""

    diagnosis = "wrong-room"

    async def join(self, group):
        KeepsTheRoomOnTheClass.group = group
        await self.channel_layer.group_add(group, self.channel_name)
        await self.send({"type": "websocket.accept"})
        await self.send_news("someone came")


class RefusesWithoutAWord(RightLounge):
    """Closes before the accept, so the browser shows 1006."""

    diagnosis = "refused-without-reason"

    async def refuse(self):
        await self.send({"type": "websocket.close"})


class AcceptsBeforeItJoins(RightLounge):
    """Accepts first. The client misses messages that are sent before group_add."""

    diagnosis = "joined-too-late"

    async def join(self, group):
        self.group = group
        await self.send({"type": "websocket.accept"})
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.send_news("someone came")


class ForgetsToAwaitTheSend(RightLounge):
    """Creates the coroutine, but does not await it."""

    diagnosis = "never-awaited"

    async def send_news(self, text):
        self.channel_layer.group_send(self.group, {"type": "lounge.news", "text": text})


class TellsItsOwnClient(RightLounge):
    """Assumes that self.send reaches all members. It reaches one client."""

    diagnosis = "member-missed"

    async def send_news(self, text):
        await self.send({"type": "websocket.send", "text": text})
