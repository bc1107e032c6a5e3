"""Lesson 6: does a client wait for the bread of another client?"""

from collections import Counter
from typing import ClassVar

from lessons.workshop.judge import Model, parse_step

SECONDS = 2  # baking time of one bread
SLACK = 1  # more seconds that a consumer may take
THREADS = 6  # so many orders at least can be baked at the same time: asyncio's pool has as many
PROMISES = {
    "Each text frame is an order": "texts",
    "An empty text frame is an order": "test_an_order_is_answered_and_baked",
    "A binary frame is not an order": "receive_binary",
    "While the bread of one client": "test_others_are_served_while_one_bakes",
    "The bread of two clients": "test_two_bake_at_the_same_time",
    "The second order of the same client": "receive",
    "No code here uses the database": "This says why a thread of its own is right.",
    "Do not change `bake`": "fault_of_baking",
    "Bakery stays an AsyncConsumer": "The engine checks the base class.",
}


class Bakery(Model):
    others = ("wait 1", "wait 2", "wait 10")
    texts = ("rye", "wheat")
    last_steps = ("wait 200",)  # so that each order is baked before its client leaves
    slow = 1
    crowd = THREADS + 2  # the last clients may wait for a thread
    # A task may bake to its end after a cancel, and wait for orders that never come.
    allowed_faults = ("cleanup-skipped", "task-left-behind")
    # Clients that leave while their bread is baked take no place away from later ones.
    long_conversations = (
        "connect | text rye | close | wait 3 | " * 40 + "connect | text rye | wait 3",
    )
    session = 60
    stop_timeout = 600  # one client's orders may wait for each other
    promise_of: ClassVar = {
        **dict.fromkeys(
            ("blocked-loop", "slow-sync-handler"),
            "While the bread of one client is baked, other clients can connect, send orders, and "
            "leave.",
        ),
        "work-left-out": "For `rye` the client gets `baking rye` at once, and `rye is done` when "
        "it is baked. Call it once for each order, with the text of that order.",
    }

    def __init__(self):
        super().__init__()
        self.answered = Counter()  # order → how often a client received "... is done"

    def connect(self, client):
        client.ready_at = 0
        client.orders = []
        client.has_sent_bytes = False  # perhaps they were baked
        self.let_in(client)

    def let_in(self, client):
        """While the bread of one client is baked, other clients can connect, send orders, and
        leave."""
        client.accept(at=self.now)

    def receive(self, client, text, data):
        """For `rye` the client gets `baking rye` at once, and `rye is done` when it is baked"""
        if text is None:
            self.receive_binary(client)
            return
        # The second order of the same client may wait for its first.
        is_first = client.ready_at <= self.now
        begins_at = max(client.ready_at, self.now)
        client.is_free = client.is_free and not is_first
        others = (it for it in self.by_connection.values() if it is not client)
        busy = sum(it.ready_at > begins_at for it in others)
        client.ready_at = begins_at + SECONDS * (1 + busy // THREADS) + SLACK
        client.orders.append(text)
        client.send(
            f"baking {text}",
            until=None if is_first else begins_at,
            promise="" if text else "An empty text frame is an order too.",
        )
        client.send(f"{text} is done", until=client.ready_at)

    def receive_binary(self, client):
        """A binary frame is not an order: answer it as you like, even with `bake(None)`, but keep
        the connection open."""
        client.is_free = client.has_sent_bytes = True
        client.ready_at = max(client.ready_at, self.now) + SECONDS + SLACK

    def disconnect(self, client):
        # Its consumer may wait for its own orders.
        client.stops_by = max(client.ready_at, self.now) + SLACK
        client.left_in = self.burst

    def fault_in(self, turn, played):
        return (
            self.fault_of_closing(turn)
            or self.fault_of_leaving(turn)
            or self.fault_of_baking(turn, played)
        )

    def fault_of_closing(self, turn):
        """A binary frame is not an order: answer it as you like, even with `bake(None)`, but keep
        the connection open."""
        for client in self.open_clients:
            seen = turn.clients.get(client.number)
            received = [message["type"] for _, message in seen.received] if seen else []
            if client.is_free and "websocket.close" in received:
                return client.number, "closed-early", "The client had not left."
        return None

    def fault_of_leaving(self, turn):
        """While the bread of one client is baked, other clients can connect, send orders, and
        leave."""
        clients = self.by_connection.values()
        [step, *others] = map(parse_step, turn.steps)
        if others or not step.kind.ends or any(client.has_sent_bytes for client in clients):
            return None
        client = self.clients[step.client]
        due = client.stops_by
        if client.left_in == self.burst and turn.time > due:  # and not long before
            detail = f"The consumer had to stop by {due:g} s, and stopped at {turn.time:g} s."
            return step.client, "handler-never-returned", detail
        return None

    def fault_of_baking(self, turn, played):
        """Call it once for each order, with the text of that order."""
        received = [
            (time, number, message.get("text", ""))
            for number, seen in turn.clients.items()
            for time, message in seen.received
        ]
        for time, number, text in sorted(received):
            order = text.removesuffix(" is done")
            if order != text and order in self.clients[number].orders:
                self.answered[order] += 1
                answers = self.answered[order]
                baked = baked_until(time, played)
                if baked.count(order) < answers:
                    return number, "work-left-out", what_was_baked(order, baked, time, answers)
        clients = self.by_connection.values()
        if any(client.has_sent_bytes for client in clients):
            return None
        calls = [it.argument for it in played.thread_sleeps if has_begun(it, turn.time)]
        orders = [order for client in clients for order in client.orders]
        if len(calls) > len(orders):
            detail = f"bake() was called {len(calls)} times, for {len(orders)} orders."
            return next(iter(turn.clients), None), "work-repeated", detail
        return None

    def due(self, number):
        client = self.clients[number]  # what it may receive now or later
        return [item.message.get("text") for item in client.expected]

    def diagnose(self, difference):
        if difference.late is not None:
            return self.cause_of_late(difference, difference.wanted[difference.late])
        if difference.fault:
            is_slow = difference.fault.detail.startswith("The consumer had to stop")
            return self.cause_of_delay(difference) if is_slow else None
        if not difference.missing:
            return None
        missing = difference.missing.get("text", "")
        done = f"{missing.removeprefix('baking ')} is done"
        if done in difference.texts(difference.received):
            return None
        for number, seen in difference.report.clients.items():
            heard = [message.get("text") for _, message in seen.received]
            if number != difference.client and missing in heard and missing not in self.due(number):
                return "wrong-connection"
        clients = self.by_connection.values()
        order = missing.removesuffix(" is done")
        ordered = sum(client.orders.count(order) for client in clients)
        if baked_until(self.now, difference.played).count(order) >= ordered:
            return None  # it was baked, and its answer is lost
        queue = SECONDS * sum(len(client.orders) for client in clients)
        since = self.now - (difference.wanted[difference.first].until or self.now)
        first = difference.wanted[difference.first]
        return self.cause_of_late(difference, first) if since <= queue else None

    def cause_of_late(self, difference, item):
        cause = self.cause_of_delay(difference)
        if cause and item.at is None:  # it is no accept
            item.promise = "The bread of two clients is baked at the same time."
        return cause

    def cause_of_delay(self, difference):
        if len(self.clients) == 1:  # no other client could delay it
            return None
        return "slow-sync-handler" if _is_sync(difference.events) else "work-still-queued"


def baked_until(time, played):
    """Return the orders that bake() had baked at this time."""
    return [it.argument for it in played.thread_sleeps if has_baked(it, time)]


def has_baked(sleep, time):
    """Whether this is a call of bake() that had taken its two seconds at this time."""
    is_whole = sleep.function == "bake" and sleep.seconds == SECONDS
    return is_whole and sleep.begun + SECONDS <= time + 0.001


def has_begun(sleep, time):
    """Whether this is a call of bake() that had begun before this time."""
    return sleep.function == "bake" and sleep.begun < time - 0.001


def what_was_baked(order, baked, time, answers):
    others = [it for it in baked if it != order][-3:]
    known = f"the last calls: {', '.join(map(short, others))}" if others else "no other call"
    return (
        f"After {time:g} s, clients had received {answers} times that {short(order)} is done. By "
        f"then, {baked.count(order)} calls of bake() with this argument had taken {SECONDS} s; "
        f"{known}."
    )


def short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)} characters)"


def _is_sync(events):
    """Whether the handlers of the consumer run in a thread."""
    handled = [event for event in events if event.handler and event.direction == "in"]
    return any(event.thread != "MainThread" for event in handled)


def test_an_order_is_answered_and_baked(play):
    """An order gets "baking rye" at once and "rye is done" later. The next order does too."""
    play("connect | text rye | wait 3 | text wheat | wait 3 | text | wait 3")
    play('connect | text "ab" * 1000 | wait 3')


def test_an_order_after_a_binary_frame_is_baked(play):
    """A binary frame is not an order. An order that comes later is answered and baked."""
    play("connect | bytes 00ff | wait 5 | text rye | wait 3 | bytes | wait 5 | text | wait 3")


def test_others_are_served_while_one_bakes(play):
    """While the bread of one client is baked, another client connects, orders and leaves."""
    play("connect | text rye | 2 connect | 2 text wheat | 2 wait 3 | 2 close | wait 3")
    # On SIGTERM, and 10 s after a client has left, the server cancels what still bakes.
    play("2 connect | connect | text rye | kill | 2 text wheat | 2 wait 3")
    guests = " | ".join(f"{number} connect" for number in range(1, 13))
    play(f"{guests} | 12 text rye | wait 3")


def test_two_bake_at_the_same_time(play):
    """The bread of two clients is baked at the same time, and each client gets its own bread."""
    play("connect | 2 connect | text rye | 2 text wheat | wait 3")
    play("connect | 2 connect | 3 connect | text rye | & 2 text rye | & 3 text rye | wait 3")


def test_stops_when_the_client_leaves(play):
    """The consumer stops when the client leaves, with or without a code."""
    for end in ("close 1000", "close 1001", "close"):
        play(["connect", end])
