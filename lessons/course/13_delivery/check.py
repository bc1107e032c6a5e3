"""Lesson 13: does the waiter report how many announcements were lost?"""

from lessons.judge import Model


def ready(*numbers, dish="tea"):
    message = '{{"type": "dish.ready", "number": {}, "dish": "{}"}}'
    return " | ".join(f"group waiters {message.format(number, dish)}" for number in numbers)


class Waiter(Model):
    texts = ("tea",)
    others = (
        *(ready(number) for number in (7, 8, 10, 0, 1, 3, 3, -2, 10**6)),
        *(ready(2, dish=""), ready(5, dish=" "), ready(4, dish="ab" * 500)),
    )
    ends = ("close", "close 1001", "vanish", "crash", "kill")

    def connect(self, client):
        client.last = client.before = None  # numbers of the last two announcements
        client.missed = client.gaps = 0
        client.restarted = False
        client.accept()

    def receive(self, client, text, data):
        """a text or binary frame gets no answer, and the connection stays open."""

    def other(self, step):
        if step.action == "group":
            for client in self.open_clients:
                self.announce(client, step.arguments["message"])

    def announce(self, client, message):
        """If announcements were lost before one that arrives, the client first receives how many"""
        number, last = message["number"], client.last
        client.missed = number - last - 1 if last is not None and number > last else 0
        client.restarted = client.restarted or (last is not None and number <= last)
        client.before, client.last = last, number
        if client.missed:
            client.gaps += 1
            client.send(f"{client.missed} missed")
        client.send(f"{message['dish']} is ready")

    def promise_of(self, step):
        return self.announce.__doc__ if step.action == "group" else super().promise_of(step)

    def diagnose(self, difference):
        if difference.fault or difference.client is None or difference.step.action != "group":
            return None
        client = self.clients[difference.client]
        expected = difference.texts(difference.expected)
        received = difference.texts(difference.received)
        if any(it.number < client.number for it in self.open_clients):
            # An earlier member received what it should, so the members share something.
            is_changed = received and expected and received[-1].startswith(expected[-1])
            return "event-changed" if is_changed and received[-1] != expected[-1] else None
        if client.missed and received == expected[1:]:
            is_first = client.gaps == 1 and client.before is not None and not client.restarted
            return "delivery-assumed" if is_first else "gap-not-reported"
        is_false = not client.missed and len(received) == 2 and received[1:] == expected
        return "false-gap" if is_false else None


def test_each_client_receives_the_announcements(play):
    """Each client receives each announcement that arrives, and no answer to a frame."""
    play(f"connect | 2 connect | text tea | bytes 00 | {ready(1, 2)}")


def test_a_gap_is_reported(play):
    """After announcements 7 and 8, `2 missed` comes before 11; after 12, `1 missed` before 14."""
    play(f"connect | {ready(7, 8, 11, 12, 14)}")


def test_each_client_learns_of_the_gap(play):
    """If announcements 8 and 9 are lost, two clients each receive `2 missed` before 10."""
    play(f"connect | 2 connect | {ready(7, 10)}")


def test_a_new_count_is_not_a_gap(play):
    """After 7, announcements 1, 2 and again 2 are no gap, and 5 is a gap of two."""
    play(f"connect | {ready(7, 1, 2, 2, 5)}")
    play(f"connect | {ready(3, 0, 2)}")


def test_a_later_client_has_missed_nothing(play):
    """For each client, the count begins with the first announcement that it receives."""
    play(f"connect | {ready(3)} | 2 connect | {ready(6, 8)}")
