"""Lesson 29: wrong middlewares for a restart, each with the diagnosis that it must get."""

import asyncio

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.routing import ProtocolTypeRouter

served = []


async def respond(send, status, text):
    await send({"type": "http.response.start", "status": status})
    await send({"type": "http.response.body", "body": text.encode()})


class Served(AsyncConsumer):
    async def http_request(self, event):
        await respond(self.send, 200, f"served: {', '.join(served)}")

    async def http_disconnect(self, event):
        raise StopConsumer()


class RightConnection:
    """What the mistakes below have right in the class Connection."""

    def __init__(self, drain, receive, send):
        self.drain = drain
        self.server_receive, self.server_send = receive, send
        self.is_open = self.is_waiting = self.is_closed = False

    async def receive(self):
        if self.drain.has_begun:
            await self.close()
        self.is_waiting = True
        event = await self.next_event()
        self.is_waiting = False
        if event["type"] == "websocket.disconnect":
            self.is_open = False
        return event

    async def next_event(self):
        event = await self.server_receive()
        while self.is_closed and event["type"] == "websocket.receive":
            event = await self.server_receive()
        return event

    async def send(self, message):
        if self.is_closed:
            return
        if message["type"] == "websocket.accept":
            self.is_open = True
        elif message["type"] == "websocket.close":
            self.is_open, self.is_closed = False, True
        await self.server_send(message)

    async def close(self):
        if self.is_open:
            await self.send({"type": "websocket.close", "code": 4012})


class RightDrain:
    """What the mistakes below have right in the class Drain."""

    health_path = "/health/"

    def __init__(self, inner, connection_class):
        self.inner = inner
        self.connection_class = connection_class
        self.has_begun = False
        self.connections = set()

    async def __call__(self, scope, receive, send):
        request = scope["type"], scope.get("method"), scope.get("path")
        if request == ("http", "GET", self.health_path):
            await respond(send, *((503, "draining") if self.has_begun else (200, "ok")))
        elif self.is_drain(*request):
            await self.begin(send)
        elif scope["type"] != "websocket":
            await self.pass_on(scope, receive, send)
        elif self.has_begun:
            await self.reject(scope, receive, send)
        else:
            await self.serve(scope, receive, send)

    def is_drain(self, kind, method, path):
        return (kind, method, path) == ("http", "POST", "/drain/")

    async def begin(self, send):
        self.has_begun = True
        await respond(send, 202, "draining")
        await self.close_all()

    async def close_all(self):
        for connection in list(self.connections):
            if connection.is_waiting:
                await connection.close()

    async def pass_on(self, scope, receive, send):
        await self.inner(scope, receive, send)

    async def reject(self, scope, receive, send):
        await send({"type": "websocket.close"})

    async def serve(self, scope, receive, send):
        connection = self.connection_class(self, receive, send)
        self.connections.add(connection)
        try:
            await self.inner(scope, connection.receive, connection.send)
        finally:
            self.connections.discard(connection)


class RightKitchen(AsyncConsumer):
    """The kitchen. Each mistake below has another middleware around it."""

    drain, connection = RightDrain, RightConnection

    def __init_subclass__(cls):
        kitchen = ProtocolTypeRouter({"websocket": cls.as_asgi(), "http": Served.as_asgi()})
        cls.application = cls.drain(kitchen, cls.connection)

    async def __call__(self, scope, receive, send):
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self.channel_layer.group_discard("guests", self.channel_name)

    async def websocket_connect(self, event):
        await self.channel_layer.group_add("guests", self.channel_name)
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, event):
        order = event.get("text") or ""
        if order == "soup":
            await asyncio.sleep(3)
        served.append(order)
        await self.send({"type": "websocket.send", "text": f"{order} is served"})

    async def kitchen_news(self, message):
        await self.send({"type": "websocket.send", "text": message["text"]})

    async def websocket_disconnect(self, event):
        raise StopConsumer()


class ReportsAlwaysOk(RightKitchen):
    """Answers the health check before the drain is considered."""

    diagnosis = "still-healthy"

    class drain(RightDrain):
        async def __call__(self, scope, receive, send):
            if scope.get("method") == "GET" and scope["path"] == "/health/":
                await respond(send, 200, "ok")
            else:
                await super().__call__(scope, receive, send)


class ReportsOnlyInTheBody(RightKitchen):
    """Writes `draining` into the body. A load balancer reads the status only."""

    diagnosis = "still-healthy"

    class drain(RightDrain):
        async def __call__(self, scope, receive, send):
            if scope.get("method") == "GET" and scope["path"] == "/health/":
                await respond(send, 200, "draining" if self.has_begun else "ok")
            else:
                await super().__call__(scope, receive, send)


class ChecksAnotherPath(RightKitchen):
    """Leaves out the slash at the end of the path."""

    diagnosis = "health-check-passed-on"

    class drain(RightDrain):
        health_path = "/health"


class DrainsOnGet(RightKitchen):
    """Compares the path only. A link, or a crawler, drains the server."""

    diagnosis = "drained-by-get"

    class drain(RightDrain):
        def is_drain(self, kind, method, path):
            return path == "/drain/"


class AnswersEverythingWith503(RightKitchen):
    """Believes that a server that drains must not answer."""

    diagnosis = "drain-rejects-requests"

    class drain(RightDrain):
        async def pass_on(self, scope, receive, send):
            if self.has_begun:
                await respond(send, 503, "draining")
            else:
                await super().pass_on(scope, receive, send)


class AnswersWhenAllHaveLeft(RightKitchen):
    """Answers `POST /drain/` when the last order was served."""

    diagnosis = "drain-answers-late"

    class drain(RightDrain):
        async def begin(self, send):
            self.has_begun = True
            await self.close_all()
            while any(not connection.is_closed for connection in self.connections):
                await asyncio.sleep(0.1)
            await respond(send, 202, "draining")


class SwitchesTheFlag(RightKitchen):
    """A second `POST /drain/` ends the drain."""

    diagnosis = "drain-not-repeatable"

    class drain(RightDrain):
        async def begin(self, send):
            self.has_begun = not self.has_begun
            await respond(send, 202, "draining")
            await self.close_all()


class ServesNewClients(RightKitchen):
    """Closes what is open, and forgets that its clients reconnect at once."""

    diagnosis = "accepted-while-draining"

    class drain(RightDrain):
        async def reject(self, scope, receive, send):
            self.has_begun = False
            await self.serve(scope, receive, send)
            self.has_begun = True


class HasOneDrainForEachProtocol(RightKitchen):
    """Wraps each consumer. The drain of HTTP does not know the one of the WebSockets."""

    diagnosis = "accepted-while-draining"

    class drain(RightDrain):
        def __init__(self, inner, connection_class):
            super().__init__(inner, connection_class)
            self.for_sockets = RightDrain(inner, connection_class)

        async def serve(self, scope, receive, send):
            await self.for_sockets(scope, receive, send)

        reject = serve


class AcceptsFirst(RightKitchen):
    """Accepts, to send a code. The load balancer and the page take this for a success."""

    diagnosis = "rejected-after-accept"

    class drain(RightDrain):
        async def reject(self, scope, receive, send):
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4012})


class SetsTheFlagLast(RightKitchen):
    """Sets the flag after the closes. Each await lets a handshake in."""

    diagnosis = "drain-flag-late"

    class drain(RightDrain):
        async def begin(self, send):
            await respond(send, 202, "draining")
            for connection in list(self.connections):
                if connection.is_waiting:
                    await connection.close()
            self.has_begun = True


class WaitsForTheClients(RightKitchen):
    """Rejects new clients only. A WebSocket can stay open for days."""

    diagnosis = "drain-leaves-open"

    class drain(RightDrain):
        async def close_all(self):
            pass

    class connection(RightConnection):
        async def close(self):
            pass


class LooksAtTheNextFrame(RightKitchen):
    """Looks at the flag when an event arrives. A silent client sends none."""

    diagnosis = "drain-leaves-open"

    class drain(RightDrain):
        async def close_all(self):
            pass


class KnowsTheLastConnection(RightKitchen):
    """Keeps the connection in one attribute. Each client replaces the one before."""

    diagnosis = "drain-closes-one"

    class drain(RightDrain):
        async def serve(self, scope, receive, send):
            self.last = self.connection_class(self, receive, send)
            connection = self.last
            await self.inner(scope, connection.receive, connection.send)

        async def close_all(self):
            last = getattr(self, "last", None)
            if last and last.is_waiting:
                await last.close()


class ClosesAtOnce(RightKitchen):
    """Closes all connections. The soup is cooked, but its guest gets no answer."""

    diagnosis = "drain-cuts-work"

    class drain(RightDrain):
        async def close_all(self):
            for connection in list(self.connections):
                await connection.close()


class SkipsConnectionsAtWork(RightKitchen):
    """Closes what waits, and forgets the others."""

    diagnosis = "busy-left-open"

    class connection(RightConnection):
        async def receive(self):
            self.is_waiting = True
            event = await self.next_event()
            self.is_waiting = False
            if event["type"] == "websocket.disconnect":
                self.is_open = False
            return event


class ServesWhatWaits(RightKitchen):
    """Closes when no further order comes for a moment."""

    diagnosis = "drain-serves-the-queue"

    class connection(RightConnection):
        async def receive(self):
            self.is_waiting = True
            if self.drain.has_begun:
                waiting = asyncio.ensure_future(self.next_event())
                done, _ = await asyncio.wait([waiting], timeout=0.01)
                if not done:
                    await self.close()
                event = await waiting
            else:
                event = await self.next_event()
            self.is_waiting = False
            if event["type"] == "websocket.disconnect":
                self.is_open = False
            return event


class PassesLaterFramesOn(RightKitchen):
    """Believes that no frame comes after the close. Frames that were sent before still come."""

    diagnosis = "served-after-close"

    class connection(RightConnection):
        async def next_event(self):
            return await self.server_receive()


class LetsTheKitchenSend(RightKitchen):
    """Believes that the kitchen does not send after the close. News do not ask."""

    diagnosis = "sent-after-drain"

    class connection(RightConnection):
        async def send(self, message):
            self.is_open |= message["type"] == "websocket.accept"
            await self.server_send(message)

        async def close(self):
            if self.is_open:
                self.is_open, self.is_closed = False, True
                await self.server_send({"type": "websocket.close", "code": 4012})


class DropsTheDisconnect(RightKitchen):
    """Drops every event after the close. The kitchen never learns that its guest has left."""

    diagnosis = "disconnect-not-passed-on"

    class connection(RightConnection):
        async def next_event(self):
            event = await self.server_receive()
            while self.is_closed:
                event = await self.server_receive()
            return event


class ClosesWith1012(RightKitchen):
    """Uses the registered code for a restart. Only the server itself may send it."""

    diagnosis = "forbidden-close-code"

    class connection(RightConnection):
        async def close(self):
            if self.is_open:
                await self.send({"type": "websocket.close", "code": 1012})


class ClosesWithoutACode(RightKitchen):
    """Sends 1000: the page takes it for the end of the work, and does not reconnect."""

    diagnosis = "wrong-close-code"

    class connection(RightConnection):
        async def close(self):
            if self.is_open:
                await self.send({"type": "websocket.close"})


class ClosesInEachReceive(RightKitchen):
    """Remembers nowhere that it has closed."""

    diagnosis = "drain-closes-twice"

    class connection(RightConnection):
        async def close(self):
            if self.is_open or self.is_closed:
                self.is_open, self.is_closed = False, True
                await self.server_send({"type": "websocket.close", "code": 4012})


class KeepsConnectionsThatEnded(RightKitchen):
    """Never removes a connection. The server may have cancelled its consumer, without an event."""

    diagnosis = "drain-closes-the-dead"

    class drain(RightDrain):
        async def serve(self, scope, receive, send):
            connection = self.connection_class(self, receive, send)
            self.connections.add(connection)
            await self.inner(scope, connection.receive, connection.send)


class RemovesWithoutFinally(RightKitchen):
    """Removes the connection in the last line. An exception skips this line."""

    diagnosis = "drain-closes-the-dead"

    class drain(RightDrain):
        async def serve(self, scope, receive, send):
            connection = self.connection_class(self, receive, send)
            self.connections.add(connection)
            await self.inner(scope, connection.receive, connection.send)
            self.connections.discard(connection)


class IteratesOverTheSet(RightKitchen):
    """Iterates over the set itself. A client that leaves during an await changes it."""

    diagnosis = "set-changed-in-loop"

    class drain(RightDrain):
        async def close_all(self):
            for connection in self.connections:
                if connection.is_waiting:
                    await connection.close()
