"""Lesson 13: does the waiter report how many announcements were lost?"""

from typing import ClassVar

from lessons.workshop.judge import NUMBERS, TEXTS, Model

PROMISES = {
    "The kitchen sends numbered announcements": "inputs",
    "The layer may lose announcements": "test_a_gap_is_reported",
    "If 10 arrives after 7": "test_a_gap_is_reported",
    "Numbers are integers": "inputs",
    "If announcements were lost before one": "test_a_gap_is_reported",
    "The consumer joins the group": "connect",
    "`__call__` leaves the group": "ends",
}
MANY = 100  # so many announcements may be taken for a new count
READY = "For each announcement that arrives, each client receives the text frame `tea is ready`."
LOST = "If announcements were lost before one that arrives, the client first receives how many"
LEAVES = "`__call__` leaves the group, however the connection ends: keep this method."


def ready(*numbers, dish="tea"):
    message = '{{"type": "dish.ready", "number": {}, "dish": "{}"}}'
    return " | ".join(f"group waiters {message.format(number, dish)}" for number in numbers)


class Waiter(Model):
    texts = ("tea",)
    handshakes = ("connect", "connect", "connect server=2")
    others = tuple(ready(number) for number in (7, 8, 10, 0, 1, 3, -2, 3, -1, 1, 10**6))
    inputs: ClassVar = {
        'group waiters {"type": "dish.ready", "number": …, "dish": "tea"}': NUMBERS,
        'group waiters {"type": "dish.ready", "number": 2, "dish": …}': TEXTS,
    }
    ends = (*Model.ends, "crash")
    promise_of: ClassVar = {
        "gap-not-reported": "A number that is not higher than the last number begins a new count. "
        "Numbers are integers, also 0 and negative ones.",
        "joined-too-late": "The consumer joins the group before the accept.",
        "no-reply": READY,
        **dict.fromkeys(("group-leak", "group-leak-after-a-crash"), LEAVES),
    }

    def connect(self, client):
        client.last = None  # the last announcement
        client.missed = client.gaps = 0
        client.is_plain = True  # it only listened, to one dish
        client.is_rising = True  # its numbers, above 0
        client.joined = self.burst
        client.accept()

    def receive(self, client, text, data):
        """a frame gets no answer, and the connection stays open."""
        client.is_plain = False

    def other(self, step):
        if step.action == "group":
            for client in self.open_clients:
                self.announce(client, step.arguments["message"])

    def announce(self, client, message):
        last, client.last = client.last, message
        if last is None:
            self.begin(client)
            return
        client.missed = max(0, message["number"] - last["number"] - 1)
        client.is_rising &= message["number"] > last["number"] > 0
        client.is_plain &= message["dish"] == last["dish"]
        if message["number"] <= last["number"]:
            self.begin_again(client)
        else:
            self.report_loss(client)
            self.go_on(client)

    def begin(self, client):
        """For each client, a count begins with the first announcement that it receives. The first
        number of a count never reports a loss."""
        self.say_ready(client)

    def begin_again(self, client):
        """A number that is not higher than the last number begins a new count. The first number of
        a count never reports a loss."""
        self.say_ready(client)

    def go_on(self, client):
        """For each announcement that arrives, each client receives the text frame `tea is ready`"""
        self.say_ready(client)

    def say_ready(self, client):
        client.send(f"{client.last['dish']} is ready")

    def report_loss(self, client):
        if client.missed:
            client.gaps += 1
            client.send(f"{client.missed} missed", promise=LOST)

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if client and not difference.fault and joined_late(difference, client):
            return "joined-too-late"
        if client is None or difference.step.action != "group":
            return None
        message = difference.step.arguments["message"]
        expected = difference.texts(difference.expected)
        received = difference.texts(difference.received)
        if any(it.number < client.number for it in self.open_clients):
            # An earlier member received what it should, so the members share something.
            if difference.fault:
                lacks_key = difference.fault.detail in (f"KeyError: {key!r}" for key in message)
                return "event-changed" if lacks_key else None
            is_changed = received and expected and received[-1].startswith(expected[-1])
            return "event-changed" if is_changed and received[-1] != expected[-1] else None
        if difference.fault:
            return None
        if received and received[0].endswith(" missed"):
            difference.wanted[difference.first].promise = LOST
        if client.missed and received == expected[1:]:
            is_plain = client.is_plain and client.is_rising and client.missed < MANY
            is_first = client.gaps == 1 and is_plain
            if is_first:
                return "delivery-assumed"
            # With rising numbers or a jump, another number than the last one is not the cause.
            is_jump = client.is_rising or client.missed >= MANY
            return None if is_jump else "gap-not-reported"
        is_false = not client.missed and len(received) == 2 and received[1:] == expected
        return "false-gap" if is_false else None


def joined_late(difference, client):
    """Whether this client was accepted in this burst before it joined the group."""
    if not difference.missing or client.joined != client.model.burst:
        return False
    newest = [it for it in difference.events if it.message.get("type") == "websocket.connect"]
    own = [it for it in difference.events if it.connection == newest[-1].connection]
    kinds = [it.message["type"] for it in own if it.direction == "out"]
    return (
        "websocket.accept" in kinds[: kinds.index("group_add")] if "group_add" in kinds else False
    )


def test_each_client_receives_the_announcements(play):
    """Each client receives each announcement that arrives, and no answer to a frame."""
    play(f"connect | 2 connect | text tea | bytes 00 | {ready(1, 2)}")


def test_a_gap_is_reported(play):
    """After announcements 5 and 6, `2 missed` comes before 9; after 10, `1 missed` before 12."""
    play(f"connect | {ready(5, 6, 9, 10, 12)}")


def test_each_client_learns_of_the_gap(play):
    """If announcements 8 and 9 are lost, two clients each receive `2 missed` before 10."""
    play(f"connect | 2 connect | {ready(7, 10)}")


def test_a_new_count_is_not_a_gap(play):
    """After 7, announcements 1, 2 and again 2 are no gap, and 5 is. 0 and -1 count as well."""
    play(f"connect | {ready(7, 1, 2, 2, 5, 4, 7)}")
    play(f"connect | {ready(3, 0, 2, -1, 1)}")
    play(f"connect | {ready(1000, 996, 999, 40, 38, 50)}")
    play(f"connect | {ready(-9, -5, 0, 3)}")


def test_every_gap_is_reported(play):
    """Of a hundred gaps, each one is reported, whatever the dishes are."""
    dishes = ("tea", "soup", "tea", "bread")
    sent = [ready(3 * n, dish=dishes[n % 4]) for n in range(102)]
    play(["connect", *(f"& {step}" if n % 20 else step for n, step in enumerate(sent))])


def test_a_later_client_has_missed_nothing(play):
    """For each client, the count begins with the first announcement that it receives."""
    play(f"connect | {ready(3)} | 2 connect | {ready(6, 8)}")
