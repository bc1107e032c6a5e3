"""The judge process: there is one for each clone of the project.

    python -m lessons.workshop.judge.daemon.judge_daemon

It judges each exercise that a student saves, and reports to its clients: the web server, every
`lesson watch`, and the `workshop` command, which only keeps it running. A client connects with
judge_client, which also starts this process. The judge ends when its last client has disconnected.

Judge and clients exchange lines of JSON over TCP on the loopback interface, which works on every
system. A client's first line holds the token, and says what the client wants:

    {"token": "..."}                         nothing: the judge runs while it is connected
    {"token": "...", "follow": true}         all progress now, then each change; also claims
    {"token": "...", "watch": "03-stop"}     a verdict now and at every save; may be sent again

ExerciseJudge lists the messages of the judge.

The judge has a single thread: it forks for each verdict, and a fork with threads is not safe.
"""

import hmac
import json
import logging
import os
import secrets
import selectors
import signal
import socket
import sys
import time
from dataclasses import asdict

from lessons.workshop.judge.daemon.judge_client import (
    HOST,
    acquire_lock,
    address_file,
    write_address,
)

CONNECT_TIMEOUT = 10.0  # seconds for the first client to connect
IDLE_TIMEOUT = 1.0  # seconds without a client, after which the judge ends
SEND_TIMEOUT = 1.0  # seconds in which a client must take a message
MAX_REQUEST = 4096  # bytes of a client's line

log = logging.getLogger(__name__)


class Client:
    """One connection. It is `trusted` once it has sent the token."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.unread = b""
        self.trusted = False
        self.follows = False
        self.watches: str | None = None

    def wants(self, message: dict) -> bool:
        if "lesson" in message:
            is_for_page = self.follows and "claims" in message
            return is_for_page or self.watches == message["lesson"]
        return self.follows or (self.watches is not None and "judging" in message)


class JudgeServer:
    """Accepts clients on `listener`, and runs the ExerciseJudge between their requests."""

    def __init__(self, listener: socket.socket, token: str):
        self._listener = listener
        self._token = token
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._clients: set[Client] = set()
        self._judge = None

    def serve(self) -> None:
        """Judge until the last client has disconnected."""
        self._idle_until = time.monotonic() + CONNECT_TIMEOUT
        while not self._has_clients():
            self.handle_clients(IDLE_TIMEOUT)
            if self._is_idle():
                return
        # Only now, because these imports take a second, and the first client waits for an answer.
        from lessons.workshop.course.lesson_index import lessons
        from lessons.workshop.judge.daemon.exercise_watcher import ExerciseJudge

        self._judge = ExerciseJudge(lessons(), self.report)
        for client in list(self._clients):
            self._start_to_serve(client)
        self._judge.look()  # first what a terminal waits for
        self._judge.judge_unjudged()
        while not self._is_idle():
            self._judge.watched = {client.watches for client in self._clients if client.watches}
            self.handle_clients(self._judge.interval)
            self._judge.look()

    def handle_clients(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._accept()
            elif key.data in self._clients:
                self._read(key.data)
        if self._has_clients():
            self._idle_until = time.monotonic() + IDLE_TIMEOUT

    def report(self, message: dict) -> None:
        """Send the message to the clients that want it."""
        if "fault" in message:
            log.error("Lesson %s could not be judged. %s", message["lesson"], message["fault"])
        for client in [one for one in self._clients if one.wants(message)]:
            self._send(client, message)

    def close_in_child(self) -> None:
        """Close the inherited sockets, or a client would not notice that the judge has died."""
        self._selector.close()
        for one in (self._listener, *(client.connection for client in self._clients)):
            one.close()

    def _has_clients(self) -> bool:
        return any(client.trusted for client in self._clients)

    def _is_idle(self) -> bool:
        return not self._has_clients() and time.monotonic() > self._idle_until

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(SEND_TIMEOUT)
        client = Client(connection)
        self._clients.add(client)
        self._selector.register(connection, selectors.EVENT_READ, client)

    def _read(self, client: Client) -> None:
        try:
            received = client.connection.recv(MAX_REQUEST)
            *lines, client.unread = (client.unread + received).split(b"\n")
            if not received or len(client.unread) > MAX_REQUEST:
                raise ConnectionError
            for line in lines:
                self._handle(client, json.loads(line))
        except (OSError, ValueError, AttributeError):
            self._drop(client)

    def _handle(self, client: Client, request: dict) -> None:
        if not client.trusted:
            token = str(request.get("token"))
            if not hmac.compare_digest(token.encode(), self._token.encode()):
                raise ConnectionError
            client.trusted = True
            self._send(client, {"accepted": True})
        client.follows = bool(request.get("follow"))
        client.watches = request.get("watch")
        if self._judge:
            self._start_to_serve(client)

    def _start_to_serve(self, client: Client) -> None:
        """Send what the client follows; judge what it watches."""
        if client.follows:
            known = {key: asdict(one) for key, one in self._judge.progress.items()}
            self._send(client, {"judging": self._judge.judging, "progress": known})
        if client.watches:
            self._judge.request(client.watches)

    def _send(self, client: Client, message: dict) -> None:
        try:
            client.connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.connection)
            client.connection.close()


def main() -> None:
    lock = acquire_lock()
    if lock is None:
        return  # another judge is running: the client that started this process finds it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # ends the child that is judging, too
    token = secrets.token_urlsafe()
    with socket.create_server((HOST, 0)) as listener:
        server = JudgeServer(listener, token)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=server.close_in_child)
            os.register_at_fork(after_in_child=lock.close)
        write_address(listener.getsockname()[1], token)
        try:
            server.serve()
        finally:
            address_file().unlink(missing_ok=True)


if __name__ == "__main__":
    main()
