"""Lesson 15: the classic wrong versions of the clerk, and of the worker behind it."""

import asyncio
import datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class RightCalendar(AsyncConsumer):
    """The whole worker, and right; a version below may spoil one method of it."""

    async def weekday_find(self, event):
        await self.answer(event, f"{event['date']}: {weekday(event['date'])}")

    async def answer(self, event, text):
        message = {"type": "weekday.found", "text": text}
        await self.channel_layer.send(event["answer_to"], message)


def weekday(text):
    try:
        return datetime.date.fromisoformat(text).strftime("%A")
    except ValueError:
        return "not a date"


class RightClerk(AsyncConsumer):
    """The whole clerk, and right; each version below spoils one method, or has its own worker."""

    Calendar = RightCalendar

    def __init_subclass__(cls):
        if "channel_name_patterns" not in vars(cls):
            cls.channel_name_patterns = {"weekdays": cls.Calendar.as_asgi()}

    async def websocket_connect(self, event):
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        try:
            await self.hand_in(event.get("text") or "")
        except ChannelFull:
            await self.say("busy")
        else:
            await self.say("asked")

    async def hand_in(self, text):
        await self.channel_layer.send("weekdays", self.job(text))

    def job(self, text):
        return {"type": "weekday.find", "date": text, "answer_to": self.channel_name}

    async def weekday_found(self, event):
        await self.say(event["text"])

    async def say(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class RoutesAnotherName(RightClerk):
    """Spells the channel in the router in another way than runworker and send() do."""

    diagnosis = "channel-unrouted"
    channel_name_patterns = {"weekday": RightCalendar.as_asgi()}


class SendsToTheHandler(RightClerk):
    """Believes that a channel has the name of the worker's handler; it has runworker's."""

    diagnosis = "wrong-channel"

    async def hand_in(self, text):
        await self.channel_layer.send("weekday.find", self.job(text))


class TakesTheChannelForAGroup(RightClerk):
    """Believes that whoever listens on a channel is the member of a group of that name."""

    diagnosis = "group-as-channel"

    async def hand_in(self, text):
        await self.channel_layer.group_send("weekdays", self.job(text))


class TakesAGroupForAChannel(RightClerk):
    """Joins a group, and has the answer sent to a channel of that name."""

    diagnosis = "group-as-channel"

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("clerks", self.channel_name)
        await super().websocket_connect(event)

    def job(self, text):
        return {"type": "weekday.find", "date": text, "answer_to": "clerks"}


class NamesNoWayBack(RightClerk):
    """Believes that the worker knows who has sent a job, as a handler knows its client."""

    diagnosis = "reply-channel-missing"

    def job(self, text):
        return {"type": "weekday.find", "date": text}


class AnswersItself(RightClerk):
    """Takes the worker's own channel for the client's."""

    diagnosis = "answered-itself"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await super().answer({"answer_to": self.channel_name}, text)


class HasNoClient(RightClerk):
    """Believes that self.send() in the worker leads to the client, as it does elsewhere."""

    diagnosis = "worker-has-no-client"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await self.send({"type": "websocket.send", "text": text})


class SendsAFrameOverTheLayer(RightClerk):
    """Believes that the layer hands a frame through to the socket; it calls handlers."""

    diagnosis = "no-layer-handler"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            frame = {"type": "websocket.send", "text": text}
            await self.channel_layer.send(event["answer_to"], frame)


class AnswersEveryone(RightClerk):
    """Sends the answer to all connections, and hopes that each knows its own."""

    diagnosis = "answered-everyone"

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("clerks", self.channel_name)
        await super().websocket_connect(event)

    async def websocket_disconnect(self, event):
        await self.channel_layer.group_discard("clerks", self.channel_name)
        await super().websocket_disconnect(event)

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            message = {"type": "weekday.found", "text": text}
            await self.channel_layer.group_send("clerks", message)


class KeepsTheClientOnSelf(RightClerk):
    """Believes that the worker has an instance for each client, so that self is the client's."""

    diagnosis = "worker-remembers"

    async def websocket_connect(self, event):
        greeting = {"type": "weekday.client", "answer_to": self.channel_name}
        await self.channel_layer.send("weekdays", greeting)
        await super().websocket_connect(event)

    class Calendar(RightCalendar):
        async def weekday_client(self, event):
            self.client = event["answer_to"]

        async def answer(self, event, text):
            await super().answer({"answer_to": self.client}, text)


class ReachesForTheConsumer(RightClerk):
    """Keeps the connections on the class, where the worker, in its process, finds none."""

    diagnosis = "shared-memory"
    connections = {}

    async def websocket_connect(self, event):
        self.connections[self.channel_name] = self
        await super().websocket_connect(event)

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await ReachesForTheConsumer.connections[event["answer_to"]].say(text)


class SendsItsMethod(RightClerk):
    """Hands a method of its own along, for the worker to call; a job goes to another process."""

    diagnosis = "not-serializable"

    def job(self, text):
        return {**super().job(text), "callback": self.say}


class LetsAJobRaise(RightClerk):
    """Believes that an exception in the worker is the business of that job alone."""

    diagnosis = "job-raises"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            date = datetime.date.fromisoformat(event["date"])
            await self.answer(event, f"{event['date']}: {date:%A}")


class StopsAfterEachJob(RightClerk):
    """Ends the worker's consumer with the job, as a consumer ends with its connection."""

    diagnosis = "worker-stopped"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            await super().weekday_find(event)
            raise StopConsumer()


class NamesAnotherHandler(RightClerk):
    """Gives the job a type that no method of the worker has the name of."""

    diagnosis = "job-not-handled"

    def job(self, text):
        return {**super().job(text), "type": "find.weekday"}


class SendsNoType(RightClerk):
    """Believes that the channel says enough about what is to be done."""

    diagnosis = "job-without-type"

    def job(self, text):
        return {"date": text, "answer_to": self.channel_name}


class ReturnsTheAnswer(RightClerk):
    """Believes that what a handler returns goes back to whoever has sent the message."""

    diagnosis = "job-unanswered"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            return {"type": "weekday.found", "text": text}


class WaitsInTheWorker(RightClerk):
    """Spares the calendar with a pause after each job, and believes that jobs run side by side."""

    diagnosis = "job-holds-others"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            await super().weekday_find(event)
            await asyncio.sleep(60)


class WaitsForTheAnswer(RightClerk):
    """Waits in the handler for an event, which is handled only when the handler has returned."""

    diagnosis = "waits-for-answer"

    async def websocket_receive(self, event):
        self.found = asyncio.Event()
        await super().websocket_receive(event)
        await self.found.wait()

    async def weekday_found(self, event):
        await super().weekday_found(event)
        self.found.set()


class DoesItAllItself(RightClerk):
    """Does the work in the process that holds the sockets, beside the worker that should."""

    diagnosis = "done-in-web-process"

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        await self.say("asked")
        await self.say(f"{text}: {weekday(text)}")


class TrustsTheAnswer(RightClerk):
    """Takes no other question until the answer has come; a job that is lost has none."""

    diagnosis = "job-lost"
    waiting = False

    async def websocket_receive(self, event):
        if not self.waiting:
            self.waiting = True
            await super().websocket_receive(event)

    async def weekday_found(self, event):
        self.waiting = False
        await super().weekday_found(event)


class TrustsTheChannel(RightClerk):
    """Believes that a channel always has room; with no worker there it is full at 100 jobs."""

    diagnosis = "channel-full"

    async def websocket_receive(self, event):
        await self.hand_in(event.get("text") or "")
        await self.say("asked")


class SaysAskedFirst(RightClerk):
    """Tells the client before it knows whether the job was taken."""

    diagnosis = "full-channel-not-reported"

    async def websocket_receive(self, event):
        await self.say("asked")
        try:
            await self.hand_in(event.get("text") or "")
        except ChannelFull:
            await self.say("busy")
