"""Lesson 7: does the server send first, and does no task stay when the connection has ended?"""

from typing import ClassVar

from lessons.workshop.judge import TIMES, Model, parse_step

PROMISES = {
    "Each connection has its own stopwatch": "test_each_connection_has_its_own",
    "Stopwatch stays an AsyncConsumer": "The engine checks the base class.",
}


class Stopwatch(Model):
    others = ("wait 1", "wait 0.5", "wait 3", "wait 10")
    inputs: ClassVar = {"wait …": TIMES}
    pauses = (61, 301)
    long_conversations = ("connect | wait 3599.5 | text ? | wait 2",)
    ends = (*Model.ends, "crash")
    slow = 0  # see test_a_slow_client_holds_up_no_stopwatch
    promise_of: ClassVar = {
        "wrong-connection": "Each connection has its own stopwatch.",
        "pushed-too-fast": "From the accept on, the client gets a text frame each second",
        **dict.fromkeys(
            ("cleanup-skipped", "cleanup-raises", "task-left-behind", "thread-left-behind"),
            "The stopwatch ends with its connection, however the connection ends: the client "
            "leaves, a handler raises, or the server cancels the consumer, even before "
            "websocket_connect has run.",
        ),
        "exception-hidden": "The consumer does not hide an exception that a handler raises.",
    }

    def connect(self, client):
        """From the accept on, the client gets a text frame each second: `1`, `2`, `3`."""
        client.seconds, client.is_held_up = 0, False
        client.accept()
        self.after(1, self.tick, client)

    def before(self, burst):
        self.is_slow = any(step.action == "wait" and step.point is not None for step in burst)

    def tick(self, client):
        if client.is_open and self.is_slow and self.now == self.time_of_point:
            client.is_free = client.is_held_up = True  # its frame takes seconds
        elif client.is_open:
            self.show_seconds(client)
            self.after(1, self.tick, client)

    def show_seconds(self, client):
        """From the accept on, the client gets a text frame each second: `1`, `2`, `3`."""
        client.seconds += 1
        client.send(f"{client.seconds}", at=self.now)

    def receive(self, client, text, data):
        """The consumer answers every frame of the client at once, even an empty or a binary frame,
        with the seconds so far as text: `2 so far`."""
        client.send(f"{client.seconds} so far")

    def disconnect(self, client):
        """The stopwatch ends with its connection, however the connection ends"""

    def fault_in(self, turn, played):
        return self.fault_of_silence(turn) or self.fault_of_crash(turn)

    def fault_of_silence(self, turn):
        """From the accept on, the client gets a text frame each second: `1`, `2`, `3`."""
        for client in self.open_clients:
            is_due = client.is_held_up and not self.is_slow
            if is_due and not turn.clients[client.number].received:
                return client.number, "no-push", "One frame was slow, and no other frame followed."
        return None

    def fault_of_crash(self, turn):
        """The consumer does not hide an exception that a handler raises."""
        for step in map(parse_step, turn.steps):
            if step.action == "crash" and not turn.clients[step.client].raised:
                detail = "A handler raised, and the server does not see it."
                return step.client, "exception-hidden", detail
        return None

    def diagnose(self, difference):
        fault = difference.fault and difference.fault.diagnosis
        waits = difference.missing or fault == "handler-never-returned"
        if waits and difference.seen and difference.seen.is_busy:
            in_call = difference.seen.place.handler.endswith(".__call__")
            return None if in_call else "loop-in-handler"
        if fault or difference.step is None:
            return None
        if difference.step.action == "wait" and difference.missing and not self.is_slow:
            return "no-push"
        client = self.clients.get(difference.client)
        if client is None or not client.is_open:
            return None
        ticks = [text for text in difference.texts(difference.received) if text.isdecimal()]
        expected = [text for text in difference.texts(difference.expected) if text.isdecimal()]
        return "pushed-too-fast" if len(ticks) > len(expected) else None


def test_the_server_speaks_first(play):
    """A client that sends nothing gets 1, 2 and 3, one each second, and no handler stays busy."""
    play("connect | wait 0.9 | wait 0.2 | wait 1 | wait 1")


def test_frames_are_answered_in_between(play):
    """A frame is answered at once, and the stopwatch continues."""
    play("connect | text ? | wait 1 | text ? | text | wait 1 | bytes 3f | wait 1")
    play.at_each_point("connect | wait 1 | at * text ? | wait 1")  # while it sends a second


def test_each_connection_has_its_own(play):
    """Two clients have their own seconds. One continues when the other one has left."""
    play("connect | wait 1.5 | 2 connect | 2 text ? | text ? | wait 1 | 2 close 1001 | wait 2")


def test_a_slow_client_holds_up_no_stopwatch(play):
    """If the network holds up a second of one client, each stopwatch continues."""
    play("connect | wait 0.5 | 2 connect | wait 0.5 | at 0 wait 3.2 | wait 3")


def test_ends_when_the_client_leaves(play):
    """The stopwatch ends when the client leaves, with 1000, 1001, 1006, 4001 or no code."""
    for end in ("close 1000", "close 1001", "vanish", "close 4001", "close"):
        play(["connect", "wait 1", end, "2 connect", "2 wait 5"])
    play.at_each_point("connect | wait 1 | at * close | wait 5")  # perhaps while it sends


def test_ends_when_a_handler_raises(play):
    """The stopwatch ends when an exception in a handler ends the connection."""
    play("connect | wait 1 | crash | 2 connect | 2 wait 5")


def test_ends_when_the_server_cancels(play):
    """The stopwatch ends when the server cancels the consumer, as on SIGTERM and after 10 s."""
    play("connect | wait 1 | kill | 2 connect | 2 wait 5")


def test_an_early_end_does_no_harm(play):
    """A consumer that the server cancels before websocket_connect has run ends without an error."""
    play("kill")
