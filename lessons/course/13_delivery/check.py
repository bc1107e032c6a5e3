"""Lesson 13: does the waiter know what was not delivered, and say so?"""

from datetime import datetime

from lessons.judge import BEGINNING, Answer, Answers, Model

NOW = "the time of the order, as ISO 8601 text with its UTC offset"


def ready(*numbers, dish="tea"):
    message = '{{"type": "dish.ready", "number": {}, "dish": "{}"}}'
    return " | ".join(f"group waiters {message.format(number, dish)}" for number in numbers)


class Waiter(Model):
    texts = ("soup", "tea")
    others = (
        *("take kitchen", "take kitchen", "fill kitchen", "take-all kitchen", "wait 3"),
        *(ready(number) for number in (7, 8, 10, 0, 1, 3, 3, -2, 10**6)),
        *(ready(2, dish=""), ready(5, dish=" "), ready(4, dish="ab" * 500)),
    )
    setups = ((), ("capacity 5",))
    last_steps = ("take-all kitchen",)
    ends = ("close", "close 1001", "vanish", "crash", "kill")

    def __init__(self):
        super().__init__()
        self.kitchen = []  # what its channel holds
        self.refused = {}  # number and dish of each order for which there was no room

    def connect(self, client):
        client.orders = 0
        client.earlier = {}
        client.last = client.before = None  # numbers of the last two announcements
        client.restarted = False
        client.gaps = 0
        client.accept()

    def receive(self, client, text, data):
        """the client receives `2 not ordered` at once, the kitchen never gets it"""
        if text is None:
            return
        client.orders += 1
        number = client.orders
        if len(self.kitchen) >= self.capacity:
            self.refused[str(number)] = text
            client.send(f"{number} not ordered")
            return
        order = {"type": "order.new", "number": number, "dish": text, "earlier": {**client.earlier}}
        self.kitchen.append(expected_order(order, self.now))
        client.earlier[str(number)] = text
        client.send(f"{number} ordered")

    def other(self, step):
        """An order is sent to the channel `kitchen` as a message of type `order.new`"""
        match step.action:
            case "take":
                return self.kitchen.pop(0) if self.kitchen else Answer(None)
            case "take-all":
                orders, self.kitchen = self.kitchen, []
                return Answers(orders)
            case "fill":
                room = self.capacity - len(self.kitchen)
                self.kitchen += [Answer({"type": "filler"}) for _ in range(room)]
            case "group":
                for client in self.open_clients:
                    self.announce(client, step.arguments["message"])
        return None

    def announce(self, client, message):
        """If announcements were lost in between, it first receives their count"""
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
        if difference.fault:
            return None
        if difference.client is None:
            return self.diagnose_order(difference)
        expected = difference.texts(difference.expected)
        received = difference.texts(difference.received)
        if difference.step.action == "group":
            return self.diagnose_announcement(difference.client, expected, received)
        if not received and difference.seen.is_busy:
            return "loop-in-handler"
        number = expected[0].split()[0] if expected else ""
        if expected == [f"{number} not ordered"] and received in ([], [f"{number} ordered"]):
            return "loss-not-reported"
        if expected == [f"{number} ordered"] and received == [f"{number} not ordered"]:
            return None if self.refused else "swallowed-error"
        return None

    def diagnose_order(self, difference):
        order, answer = difference.answers
        if isinstance(answer, str):  # the kitchen could not read it
            return "int-keys"
        if answer is None:
            calls = [event.message.get("type") for event in difference.events]
            return "delivery-assumed" if "group_send" in calls else "message-differs"
        if (str(answer.get("number")), answer.get("dish")) in self.refused.items():
            return "delivery-assumed"
        if order and "earlier" in order and isinstance(answer.get("earlier"), dict):
            more = answer["earlier"].items() - order["earlier"].items()
            if more and more <= self.refused.items():
                return "delivery-assumed"
            others = [it.earlier for it in self.clients.values() if it.earlier != order["earlier"]]
            if any(more and more <= earlier.items() for earlier in others):
                return "wrong-connection"
        return "message-differs"

    def diagnose_announcement(self, number, expected, received):
        client = self.clients[number]
        if client.missed and received == expected[1:]:
            is_first = client.gaps == 1 and client.before and not client.restarted
            return "delivery-assumed" if is_first else "gap-not-reported"
        is_false = not client.missed and len(received) == 2 and received[1:] == expected
        return "false-gap" if is_false else None


def expected_order(order, time):
    def matches(message):
        if not isinstance(message, dict):
            return False
        promised = {key: message.get(key) for key in order}  # it may hold more
        return Answer(order).accepts(promised) and is_time(message.get("at"), time)

    return Answer(order | {"at": NOW}, matches)


def is_time(text, time):
    try:
        passed = datetime.fromisoformat(text) - BEGINNING
    except (TypeError, ValueError):  # not ISO 8601, or without an offset
        return False
    return abs(passed.total_seconds() - time) <= 1  # it may be cut to seconds


def test_an_order_reaches_the_kitchen(play):
    """An order reaches the kitchen with its number, dish, time and earlier orders."""
    play("connect | text soup | take kitchen | wait 5 | text tea | text soup | take-all kitchen")


def test_a_full_kitchen_is_reported_to_the_client(play):
    """If the kitchen's channel is full, the client learns it, and a later order may succeed."""
    play(
        "capacity 3 | connect | text soup | fill kitchen | text tea | text rice"
        " | take-all kitchen | text cake | take kitchen | wait 5 | take kitchen"
        " | text soup | take kitchen"
    )


def test_each_client_has_its_own_orders(play):
    """Of two clients, each has its own numbers and its own earlier orders."""
    play("connect | 2 connect | text soup | 2 text tea | text rice | take-all kitchen")


def test_a_gap_is_reported(play):
    """After announcements 7 and 8, `2 missed` comes before 11; after 12, `1 missed` before 14."""
    play(f"connect | {ready(7, 8, 11, 12, 14)}")


def test_a_new_count_is_not_a_gap(play):
    """After 7, announcements 1, 2 and again 2 are no gap, and 5 is a gap of two."""
    play(f"connect | {ready(7, 1, 2, 2, 5)}")
    play(f"connect | {ready(3, 0, 2)}")


def test_a_later_client_has_missed_nothing(play):
    """For each client the count begins with the first announcement that it receives."""
    play(f"connect | {ready(3)} | 2 connect | {ready(6, 8)}")
