"""A real Daphne and the simulated one, with the same methods: a fact holds on both.

`visit()` plays one WebSocket connection, `request()` one HTTP request. The application sends the
given replies. Only the simulated Daphne names a diagnosis.
"""

import ast
import asyncio
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed

from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.scheduling.loop import SimulatedLoop
from lessons.workshop.engine.world.daphne_rules import Response as Progress
from tests.support.programs.real_daphne import (
    TEST_TIMEOUT,
    RealDaphne,
    Visit,
    leave,
    stay,
)
from tests.support.scripted_events import play_http, play_websocket
from tests.support.strict_communicator import StrictCommunicator, StrictHttpCommunicator

STAYS = "the client reads until the server closes the connection"
VANISHES = "the connection of the client is cut"
HANDSHAKE = f"""GET /?%s:[] HTTP/1.1\r
Host: localhost\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: {"A" * 22}==\r
\r
"""


@dataclass
class Response:
    """One HTTP response, and the events of its application."""

    status: int | None = None  # None if Daphne sends no complete response
    body: bytes = b""
    events: list = field(default_factory=list)


class RealServer(RealDaphne):
    """Daphne in its own process."""

    is_real = True

    def visit(self, *replies, frames=(), leaves=1000, subprotocols=None, path="/"):
        """The client sends the frames, and leaves with the code `leaves`, or stays or vanishes."""

        def act(client):
            for frame in frames:
                client.send(frame)
            if leaves is VANISHES:
                return client.socket.close()
            if leaves is None:  # as the bare close() of a browser
                # The server may end the connection at once: then it is over here, too.
                with suppress(ConnectionClosed), client.send_context():
                    client.protocol.send_close()
            return stay(client) if leaves in (None, STAYS) else leave(client, leaves)

        return super().visit(*replies, act=act, subprotocols=subprotocols, path=path)

    def visit_that_leaves_early(self, code):
        """The client leaves while its handshake has no answer. So it cannot send the code."""
        number = next(self.numbers)
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall((HANDSHAKE % number).encode())
            connect = self.wait_for_line(f"{number} {{'type': 'websocket.connect'")
        self.wait_for_line(f"{number} over")
        _, *events = map(ast.literal_eval, self.lines_of(number))
        assert connect == "}"
        return Visit(events=[{"type": "websocket.connect"}, *events])

    def died(self, visit, error, diagnosis):
        """Whether the application has ended with an error that begins so. It waits for the log."""
        return self.wait_for_line(f"log Exception inside application: {error}") is not None

    @contextmanager
    def open_request(self, *replies, body=b""):
        """Send a request. Yields its number and its connection."""
        number = next(self.numbers)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TEST_TIMEOUT)
        try:
            query = f"{number}:{quote(repr(list(replies)))}"
            connection.request("POST", f"/?{query}", body)
            yield number, connection
        finally:
            connection.close()

    def request(self, *replies, **options):
        with self.open_request(*replies, **options) as (number, connection):
            response = connection.getresponse()
            body = response.read()
        self.wait_for_line(f"{number} over")
        return Response(
            response.status, body, [ast.literal_eval(line) for line in self.lines_of(number)]
        )


class SimulatedServer:
    """Daphne as the simulated world plays it."""

    is_real = False

    def visit(self, *replies, **options):
        return self._run(self._visit(replies, **options))

    def request(self, *replies, **options):
        return self._run(self._request(replies, **options))

    def visit_that_leaves_early(self, code):
        return self._run(self._visit([], leaves=code, is_patient=False))

    def died(self, visit, error, diagnosis):
        return visit.error.startswith(error) and visit.diagnosis == diagnosis

    def _run(self, coroutine):
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            return runner.run(coroutine)

    async def _visit(
        self, replies, frames=(), leaves=1000, subprotocols=None, path="/", is_patient=True
    ):
        visit = Visit()

        async def application(scope, receive, send):
            visit.scope = scope
            await play_websocket(replies, receive, send, visit.events.append)

        client = StrictCommunicator(application, path, subprotocols=subprotocols)

        async def act():
            await client.send_input({"type": "websocket.connect"})
            if client.awaits_answer and is_patient:
                client.require(await client.wait_for_answer())
            for frame in frames:
                key = "text" if isinstance(frame, str) else "bytes"
                await client.send_to(**{f"{key}_data": frame})
            if leaves is not STAYS:
                await client.disconnect(1006 if leaves is VANISHES else leaves)

        visit.diagnosis = await self._diagnosis_of(act(), client, 1006)
        visit.error = self._error_of(client)
        visit.close_code = None if leaves is VANISHES else leaves
        assert [it["type"] for it in client.unread].count("websocket.close") <= 1
        for message in client.unread:
            match message:
                case {"type": "websocket.accept"}:
                    chosen = message.get("subprotocol")
                    # A client reads the first item of a tuple.
                    visit.subprotocol = (chosen or [None])[0] if type(chosen) is tuple else chosen
                    visit.status, visit.frames = 101, []
                case {"type": "websocket.send"}:
                    visit.frames.append(message.get("text") or message.get("bytes"))
                case {"type": "websocket.close"} if not visit.status:
                    visit.status = 403
        if visit.status == 101 and (client.close_code or visit.error):
            visit.close_code = client.close_code or 1011
        elif visit.error and not visit.status:
            visit.status = 500
        return visit

    async def _request(self, replies, body=b""):
        response = Response()

        async def application(scope, receive, send):
            async def receive_and_note():
                event = await receive()
                seen = {**event, "body": len(event["body"])} if "body" in event else event
                response.events.append(seen)
                return event

            await play_http(replies, receive_and_note, send)

        client = StrictHttpCommunicator(application, "POST", "/", body)
        response.diagnosis = await self._diagnosis_of(client.send_request(), client, None)
        response.error = self._error_of(client)
        progress = client.rules.response
        if response.error:
            response.status = 500 if progress is Progress.AWAITED else None
        elif progress is Progress.COMPLETE:
            start, *parts = client.unread
            response.status = start.get("status")  # None if the fault is in the start
            response.body = b"".join(part.get("body", b"") for part in parts)
        return response

    async def _diagnosis_of(self, act, client, code):
        """Play to the end of the application. Returns the first diagnosis, or None."""
        found = None
        try:
            await act
            await client.leave()
        except CheckFailed as failure:
            found = failure.finding.diagnosis
        if not client.finished and not client.rules.client_left:
            left = {"type": client.rules.disconnect_type}
            client.put(client.rules.disconnect_event or left | ({"code": code} if code else {}))
            await asyncio.get_running_loop().wait_until_idle()
        await client.cancel_application()
        return found

    def _error_of(self, client):
        """The text of the exception with which the application ended."""
        return "" if client.error is None else str(client.error)
