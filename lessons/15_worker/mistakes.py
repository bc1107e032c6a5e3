"""Lesson 15: the classic wrong versions of the clerk and of its worker."""

import asyncio
import datetime

from channels.consumer import AsyncConsumer
from channels.exceptions import ChannelFull, StopConsumer


class RightCalendar(AsyncConsumer):
    """The right worker. Some versions below break one of its methods."""

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
    """The right clerk. Each version below breaks one method, or has its own worker."""

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
            await self.send_text("busy")
        else:
            await self.send_text("asked")

    async def hand_in(self, text):
        await self.channel_layer.send("weekdays", self.job(text))

    def job(self, text):
        return {"type": "weekday.find", "date": text, "answer_to": self.channel_name}

    async def weekday_found(self, event):
        await self.send_text(event["text"])

    async def send_text(self, text):
        await self.send({"type": "websocket.send", "text": text})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class RoutesAnotherName(RightClerk):
    """Spells the channel's name in the router differently from runworker and send()."""

    diagnosis = "channel-unrouted"
    channel_name_patterns = {"weekday": RightCalendar.as_asgi()}


class SendsToTheHandler(RightClerk):
    """Believes that a channel is named after the handler; runworker names it."""

    diagnosis = "wrong-channel"

    async def hand_in(self, text):
        await self.channel_layer.send("weekday.find", self.job(text))


class TakesTheChannelForAGroup(RightClerk):
    """Believes that a consumer that listens on a channel is in a group of that name."""

    diagnosis = "group-as-channel"

    async def hand_in(self, text):
        await self.channel_layer.group_send("weekdays", self.job(text))


class TakesAGroupForAChannel(RightClerk):
    """Joins a group, and asks for the answer on a channel of that name."""

    diagnosis = "group-as-channel"

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("clerks", self.channel_name)
        await super().websocket_connect(event)

    def job(self, text):
        return {"type": "weekday.find", "date": text, "answer_to": "clerks"}


class NamesNoWayBack(RightClerk):
    """Believes that the worker knows which connection sent a job."""

    diagnosis = "reply-channel-missing"

    def job(self, text):
        return {"type": "weekday.find", "date": text}


class AnswersItself(RightClerk):
    """Confuses the worker's own channel with the client's."""

    diagnosis = "answered-itself"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await super().answer({"answer_to": self.channel_name}, text)


class HasNoClient(RightClerk):
    """Believes that self.send() in the worker sends to the client."""

    diagnosis = "worker-has-no-client"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await self.send({"type": "websocket.send", "text": text})


class SendsAFrameOverTheLayer(RightClerk):
    """Believes that the layer passes a frame to the socket; the layer calls handlers."""

    diagnosis = "no-layer-handler"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            frame = {"type": "websocket.send", "text": text}
            await self.channel_layer.send(event["answer_to"], frame)


class AnswersEveryone(RightClerk):
    """Sends the answer to all connections, and expects each to recognise its own."""

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
    """Believes that the worker has one instance for each client, so self belongs to a client."""

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
    """Keeps the connections on the class; the worker's process has another, empty dict."""

    diagnosis = "shared-memory"
    connections = {}

    async def websocket_connect(self, event):
        self.connections[self.channel_name] = self
        await super().websocket_connect(event)

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            await ReachesForTheConsumer.connections[event["answer_to"]].send_text(text)


class SendsItsMethod(RightClerk):
    """Puts one of its methods into the job; a method cannot go to another process."""

    diagnosis = "not-serializable"

    def job(self, text):
        return {**super().job(text), "callback": self.send_text}


class LetsAJobRaise(RightClerk):
    """Believes that an exception in the worker affects only that job."""

    diagnosis = "job-raises"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            date = datetime.date.fromisoformat(event["date"])
            await self.answer(event, f"{event['date']}: {date:%A}")


class StopsAfterEachJob(RightClerk):
    """Ends the worker's consumer after a job, as a consumer ends after its connection."""

    diagnosis = "worker-stopped"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            await super().weekday_find(event)
            raise StopConsumer()


class NamesAnotherHandler(RightClerk):
    """Gives the job a type that no method of the worker is named after."""

    diagnosis = "job-not-handled"

    def job(self, text):
        return {**super().job(text), "type": "find.weekday"}


class SendsNoType(RightClerk):
    """Believes that the channel's name already says what to do."""

    diagnosis = "job-without-type"

    def job(self, text):
        return {"date": text, "answer_to": self.channel_name}


class ReturnsTheAnswer(RightClerk):
    """Believes that a handler's return value goes back to the sender of the message."""

    diagnosis = "job-unanswered"

    class Calendar(RightCalendar):
        async def answer(self, event, text):
            return {"type": "weekday.found", "text": text}


class WaitsInTheWorker(RightClerk):
    """Pauses after each job, and believes that jobs run at the same time."""

    diagnosis = "job-holds-others"

    class Calendar(RightCalendar):
        async def weekday_find(self, event):
            await super().weekday_find(event)
            await asyncio.sleep(60)


class WaitsForTheAnswer(RightClerk):
    """Waits in the handler for an event that is handled only after the handler returns."""

    diagnosis = "waits-for-answer"

    async def websocket_receive(self, event):
        self.found = asyncio.Event()
        await super().websocket_receive(event)
        await self.found.wait()

    async def weekday_found(self, event):
        await super().weekday_found(event)
        self.found.set()


class DoesItAllItself(RightClerk):
    """Does the work in the process that holds the sockets, not in the worker."""

    diagnosis = "done-in-web-process"

    async def websocket_receive(self, event):
        text = event.get("text") or ""
        await self.send_text("asked")
        await self.send_text(f"{text}: {weekday(text)}")


class TrustsTheAnswer(RightClerk):
    """Accepts no other text until the answer comes; a lost job has no answer."""

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
    """Believes that a channel always has room; without a worker it is full at 100 jobs."""

    diagnosis = "channel-full"

    async def websocket_receive(self, event):
        await self.hand_in(event.get("text") or "")
        await self.send_text("asked")


class SaysAskedFirst(RightClerk):
    """Answers the client before it knows whether the channel has room."""

    diagnosis = "full-channel-not-reported"

    async def websocket_receive(self, event):
        await self.send_text("asked")
        try:
            await self.hand_in(event.get("text") or "")
        except ChannelFull:
            await self.send_text("busy")
