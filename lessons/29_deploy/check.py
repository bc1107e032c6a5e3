"""Lesson 29: does a restart lose no order, and does it end every connection?"""

from itertools import takewhile
from typing import ClassVar

from lessons.workshop.judge import Expected, Model, Stream, complete_response

SOUP = 3  # seconds
RESTART = 4012
ACCEPT, CLOSE = "websocket.accept", "websocket.close"
# What the simulated server has found → the diagnosis if it happens during the drain.
FAULTS = {
    "send-after-close": "sent-after-drain",
    "closed-twice": "drain-closes-twice",
    "task-left-behind": "drain-closes-the-dead",
    "no-stop-consumer": "disconnect-not-passed-on",
    "handler-never-returned": "disconnect-not-passed-on",
}
NO_MORE = (
    "After this close, the kitchen receives nothing from this client but `websocket.disconnect`."
)
AT_ONCE = "`POST /drain/` is answered at once, each time."
EACH_ONCE = (
    "Each open connection is closed once with 4012: at once, or, while the kitchen is at work on an"
    " order of this client, right after that was served; so its client gets the answer, then the"
    " close."
)
NEWS = 'group guests {"type": "kitchen.news", "text": "no more bread"}'
PROMISES = {
    "`GET /served/` lists": "pass_on",
    "Complete `Drain`": "This says what to do.",
    "After `POST /drain/`": "This begins a list.",
    "After this close": "test_an_order_that_waits_is_not_served",
    "`POST /drain/` is answered at once": "test_a_second_drain_changes_nothing",
    "Leave Kitchen and Served unchanged": "The check plays the kitchen of the exercise.",
}


class Restart(Model):
    given = ("Kitchen", "Served")
    texts = ("soup",)
    handshakes = (
        *("connect", "GET /health/", "connect", "POST /drain/", "connect", "GET /served/"),
    )
    others = ("wait 1", "wait 3.5")
    ends = Model.leaves  # a cancel may lose an order
    max_clients = 4
    promise_of: ClassVar = {
        "served-after-close": f"{NO_MORE} So it serves no order that waited or came later.",
        "drain-serves-the-queue": "So it serves no order that waited or came later.",
        "disconnect-not-passed-on": NO_MORE,
        "drain-answers-late": AT_ONCE,
        "drain-closes-twice": EACH_ONCE,
        "set-changed-in-loop": EACH_ONCE,
    }
    clients_are_independent = False
    closes_once = True
    stop_timeout = 60  # several soups of one client may be waiting when it leaves

    def __init__(self):
        super().__init__()
        self.has_begun = False
        self.served = []
        self.is_certain = True  # what was served

    def connect(self, client):
        client.orders = []  # the first one is in work
        client.is_guest = False  # whether it was accepted
        client.came, client.served_at = self.burst, 0
        if self.has_begun and not self.is_before_answer():
            self.reject(client)
            return
        client.is_guest = True
        if self.has_begun:
            self.close_late_guest(client)
        else:
            client.accept()

    def reject(self, client):
        """A new handshake is rejected: `websocket.close` before any accept."""
        client.reject()

    def close_late_guest(self, client):
        """A connection whose handshake came earlier and is not accepted yet is closed after its
        accept."""
        if not client.is_open:
            client.accept()
        client.close(RESTART)

    def orders_of(self, burst):
        # What another client did while a handshake was handled came after this handshake.
        is_handled = burst[0].action == "connect" and any(it.point is not None for it in burst)
        orders = super().orders_of(burst)
        return [it for it in orders if it[0] is burst[0]] if is_handled else orders

    def receive(self, client, text, data):
        """`soup` takes 3 seconds, any other order no time."""
        if not self.has_begun:
            client.orders.append(text or "")
            if len(client.orders) == 1:
                self.work(client)

    def receive_after_close(self, client, text, data):
        """So it serves no order that waited or came later."""
        if client.state == "closed" and client.is_guest and self.is_earlier():
            client.expected.pop()  # the close, which was sent later
            client.state = "open"
            client.orders.append(text or "")
            self.work(client)

    def is_earlier(self):
        # Whether something that happened during the drain happened before its effect.
        return self.began_in == self.burst and self.branch()

    def is_before_answer(self):
        # The same, for what must see the drain as soon as `POST /drain/` was answered.
        is_answered = self.at_point.get(self.drain_client) == 2  # a start and a body
        return not is_answered and self.is_earlier()

    def work(self, client):
        if client.orders[0] == "soup":
            self.after(SOUP, self.serve, client)
        else:
            self.serve(client)

    def serve(self, client):
        order = client.orders.pop(0)
        self.served.append(order)
        client.served_at = self.now
        if self.has_begun:
            # The middleware has not seen yet that this client has left.
            self.is_certain = self.is_certain and not (client.has_ended and client.orders)
            self.close(client, order)
            return
        client.send(f"{order} is served")
        if client.orders:
            self.work(client)

    def close(self, client, order=None):
        """Each open connection is closed once with 4012: at once, or, while the kitchen is at work
        on an order of this client, right after that was served; so its client gets the answer, then
        the close."""
        if order is not None:
            client.send(f"{order} is served")
        client.close(RESTART, at=self.now if order is None else None)

    def request(self, client, body):
        client.is_guest = False
        request = request_of(client)
        if request == ("GET", "/health/"):
            self.check_health(client)
        elif request == ("POST", "/drain/"):
            self.answer(client, 202, "draining", AT_ONCE, drained)
            self.drain(client)
        else:
            self.pass_on(client)

    def check_health(self, client):
        """`GET /health/` gets 503 and `draining`, instead of 200 and `ok`."""
        is_healthy = not self.has_begun or self.is_before_answer()
        self.answer(client, *((200, "ok") if is_healthy else (503, "draining")))

    def pass_on(self, client):
        """Every other request works as before."""
        self.answer(client, 200, f"served: {', '.join(self.served)}")
        client.is_free = not self.is_certain

    def answer(self, client, status, text, promise="", read=complete_response):
        start = {"type": "http.response.start", "status": status}
        body = {"type": "http.response.body", "body": text.encode()}
        stream = Stream([(self.now, start), (self.now, body)], read)
        stream.promise = promise
        client.expect(stream)
        client.state = "closed"

    def drain(self, drain_client):
        if not self.has_begun:
            self.has_begun, self.began_in = True, self.burst
            self.drain_client = drain_client.number
            for client in self.open_clients:
                if not client.orders:
                    is_late = client.came == self.burst and not self.at_point.get(client.number)
                    close = self.close_late_guest if is_late else self.close
                    close(client)

    def other(self, step):
        # All guests get the news of the group `guests`.
        text = step.arguments["message"]["text"]
        for client in self.clients.values():
            if client.is_open and not client.orders:
                client.send(text)
            elif client.is_guest:  # they wait for the order in work, and a close may come first
                frame = {"type": "websocket.send", "text": text}
                until = self.now + SOUP * len(client.orders) if client.orders else None
                client.expected.append(Expected(frame, until=until, may_miss=True, lane=text))

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if client is None:
            return None
        if client.began_with != "connect":
            return self.diagnose_response(difference, client)
        if difference.fault:
            return FAULTS.get(difference.fault.diagnosis) if self.has_begun else None
        expected, received = types(difference.expected), types(difference.received)
        if not client.is_guest:
            return self.diagnose_acceptance(difference, received)
        is_first = received[:1] == [CLOSE] != expected[:1] != [ACCEPT]
        if is_first and (client.orders or len(expected) > 1):
            is_cut = client.orders or difference.times[difference.first] < client.served_at
            return "drain-cuts-work" if is_cut or self.began_in == self.burst else None
        if expected[-1:] == [CLOSE] and CLOSE not in received and self.has_begun:
            return self.diagnose_open(difference, expected, received)
        return None

    def diagnose_acceptance(self, difference, received):
        # The client should have been rejected.
        if received[:1] != [ACCEPT]:
            return None
        kinds = types(it.message for it in difference.events)[::-1]
        since_drain = takewhile("http.response.start".__ne__, kinds)
        if CLOSE in received and "group_add" not in since_drain:
            return "rejected-after-accept"  # the kitchen has not seen it
        return "drain-flag-late" if self.began_in == self.burst else "accepted-while-draining"

    def diagnose_open(self, difference, expected, received):
        # The connection was not closed.
        if ACCEPT in received:
            return "drain-flag-late" if came_during_drain(difference) else None
        if len(received) >= len(expected) > 1:
            return "drain-serves-the-queue"
        if len(expected) > 1:
            return "busy-left-open"
        seen = difference.report.clients.values()
        messages = [message for it in seen for _, message in it.received]
        return "drain-closes-one" if CLOSE in types(messages) else "drain-leaves-open"

    def diagnose_response(self, difference, client):
        request = request_of(client)
        so_far = [(it.action, it.arguments.get("path")) for it in difference.steps_so_far]
        is_second = so_far.count(("POST", "/drain/")) > 1
        received = [*client.stream.received, *difference.arrivals]
        found = client.stream.found(received)
        if not found:
            is_silent = not difference.received and difference.seen.is_busy
            return "drain-answers-late" if request == ("POST", "/drain/") and is_silent else None
        if difference.fault:
            return None
        ((_, (status, body)),) = found
        ((_, (_, expected)),) = client.stream.wanted
        is_drained = status in (202, 503) and not self.has_begun
        if is_drained and ("GET", "/drain/") in so_far:
            return "drained-by-get"
        if request == ("POST", "/drain/"):
            return "drain-not-repeatable" if is_second else None
        if request == ("GET", "/health/"):
            if body.startswith(b"served:"):
                return "health-check-passed-on"
            if not self.has_begun or status != 200:
                return None
            return "drain-not-repeatable" if is_second else "still-healthy"
        if self.has_begun and status == 503:
            return "drain-rejects-requests"
        if request == ("GET", "/drain/") and status == 202:
            return "drained-by-get"
        return "served-after-close" if self.has_begun and len(body) > len(expected) else None


def drained(messages):
    """Return what has come: to `POST /drain/`, each answer of success is right."""
    found = complete_response(messages)
    return [(at, (202, b"draining") if 200 <= it[0] < 300 else it) for at, it in found]


def request_of(client):
    return client.began_with, str(client.handshake.get("path")).partition("?")[0]


def types(messages):
    return [message["type"] for message in messages]


def came_during_drain(difference):
    # Whether the handshake of this client began after that of `POST /drain/`.
    began = [step for step in difference.steps_so_far if step.kind.begins]
    own = max(number for number, step in enumerate(began) if step.client == difference.client)
    return any(step.action == "POST" for step in began[:own])


def test_a_health_check_is_answered(play):
    """Before the drain, a health check gets 200, and the kitchen works as before."""
    play("GET /health/ | 2 connect | 2 text tea | GET /health/ | GET /served/")
    play(f"connect | 2 connect | text soup | 2 text tea | wait 3 | {NEWS}")
    play(f"connect | text soup{' | & text tea' * 120} | wait 3")


def test_the_health_check_fails_after_the_drain(play):
    """After `POST /drain/`, a health check gets 503 each time."""
    play("POST /drain/ | GET /health/ | GET /health/")
    play("POST /drain/ | 2 POST /drain/ | GET /health/?full=1")


def test_other_requests_reach_the_kitchen(play):
    """Every other request reaches the kitchen. `GET /drain/` does not drain."""
    play("GET /drain/ | GET /health/ | 2 GET /served/")
    play("POST /drain/ | GET /served/ | GET /drain/ | 2 GET /served/")
    play("POST /health/ | GET /health | GET /health/all/ | GET /my/health/")
    play("POST /drain/ | POST /health/ | GET /health/all/")
    play("POST /drain | POST /drain/all/ | POST /my/drain/ | GET /health/")
    play("PUT /drain/ | POST /Drain/ | PUT /health/ | GET /Health/ | HEAD /health/ | GET /health/")


def test_a_new_handshake_is_rejected(play):
    """After `POST /drain/`, a new handshake is rejected, however long ago the drain began."""
    play("POST /drain/ | connect | 2 connect | 3 connect /")
    play(f"POST /drain/{' | connect | 2 GET /health/' * 21}")
    play("POST /drain/ | wait 61 | connect | GET /health/ | wait 3601 | connect | GET /health/")


def test_a_connection_that_waits_is_closed_at_once(play):
    """A connection that waits is closed with 4012 at once."""
    play("connect | 2 POST /drain/ | GET /health/")
    play("connect | text tea | 2 POST /drain/")
    play(f"connect | {NEWS} | 2 POST /drain/ | GET /health/")
    play("connect | 2 connect | 2 text tea | 3 connect | 4 POST /drain/?now=1")
    play.at_each_point(f"connect | {NEWS} | at * 2 POST /drain/ | GET /health/")


def test_the_order_in_work_is_served_first(play):
    """The order in work is served first. Then the connection is closed, and no other is held up."""
    play(f"connect | {NEWS} | text soup | wait 1 | 2 POST /drain/ | wait 3")
    play("connect | text soup | 2 connect | 3 POST /drain/ | wait 2.9 | wait 0.2")
    play("connect | text soup | wait 1 | 2 connect | 2 text soup | 3 POST /drain/ | wait 4")
    play(f"connect{' | text tea' * 60} | text soup | 2 POST /drain/ | wait 3")
    for seed in (1, 2, 3):  # the kitchen has received the order, and its handler has not begun
        for orders in ("text tea", f"{NEWS} | & text tea"):
            play(f"seed {seed} | connect | {orders} | & 2 POST /drain/ | 3 GET /served/")


def test_an_order_that_waits_is_not_served(play):
    """An order that waits behind the one in work is not served, and neither is a later one."""
    play("connect | text soup | text tea | text soup | 2 POST /drain/ | wait 3 | 2 GET /served/")
    play("connect | text soup | 2 POST /drain/ | text tea | wait 3 | 2 GET /served/ | wait 3")
    play("connect | 2 POST /drain/ | & text tea | 2 GET /served/")
    play("connect | 2 POST /drain/ | & bytes 746561 | & text | & bytes | 2 GET /served/")


def test_nothing_is_sent_after_the_close(play):
    """News that come after the close do not reach the server."""
    play(f"connect | 2 POST /drain/ | & {NEWS} | {NEWS}")
    play.at_each_point(f"connect | 3 connect | 2 POST /drain/ | at * {NEWS}")


def test_a_second_drain_changes_nothing(play):
    """A second `POST /drain/` gets 202 too, and no connection gets a second close."""
    play("connect | 2 POST /drain/ | 2 POST /drain/ | 3 connect")
    play("connect | text soup | 2 POST /drain/ | wait 1 | 2 POST /drain/ | wait 3")
    play.at_each_point("connect | 2 connect | 3 POST /drain/ | at * 4 POST /drain/")


def test_a_connection_that_has_ended_gets_no_close(play):
    """A connection that has ended gets no close: its client left, or its consumer failed."""
    play("connect | 2 connect | close 1001 | 3 POST /drain/")
    play("connect | 2 connect | crash | 3 POST /drain/")
    play("connect | 2 connect | kill | 3 POST /drain/")
    play("connect | 2 connect | text soup | close 1001 | 3 POST /drain/ | wait 4 | GET /served/")
    play("connect | text soup | text tea | 2 POST /drain/ | close 1001 | wait 4 | GET /served/")


def test_what_happens_during_the_drain(play):
    """Clients that come, order or leave during the drain change nothing for the others."""
    play.at_each_point("connect | 2 connect | 3 POST /drain/ | at * 4 connect")
    play.at_each_point("connect | 2 connect | 3 connect | 4 POST /drain/ | at * 2 close 1001")
    play.at_each_point("connect | 2 connect | 3 POST /drain/ | at * text tea | 4 GET /served/")
    for client in (1, 2):  # a loop may close either first
        order = f"at * {client} text soup | wait 4 | 4 GET /served/"
        play.at_each_point(f"connect | 2 connect | 3 POST /drain/ | {order}")
    play.at_each_point("connect | text tea | at * 3 POST /drain/ | 4 GET /served/")
    play.at_each_point("connect | at * 3 POST /drain/ | text tea | 4 GET /served/")
    play.at_each_point("2 connect | connect | at * 3 POST /drain/ | GET /health/")
    play("2 connect | connect | & 3 POST /drain/ | GET /health/")
    play.at_each_point("connect | 3 POST /drain/ | at * 4 GET /health/")


def test_the_health_check_fails_while_an_order_is_in_work(play):
    """A health check gets 503 also while an order is in work, and when it was served."""
    play("connect | text soup | 2 POST /drain/ | 2 GET /health/ | wait 3 | 2 GET /health/")


def test_news_and_orders_do_not_hold_up_a_close(play):
    """News wait for the order in work. An order that comes with news gets its answer first."""
    play(f"connect | text soup | {NEWS} | wait 3")
    for seed in range(1, 9):
        play(f"seed {seed} | connect | {NEWS} | & text soup | 2 POST /drain/ | wait 3")


def test_each_of_many_connections_is_closed(play):
    """However many connections are open, each of them is closed."""
    guests = " | ".join(f"{number} connect" for number in range(1, 14))
    play(f"{guests} | 3 text soup | 14 POST /drain/ | wait 3")
