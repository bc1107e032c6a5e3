"""Lesson 4: does each connection get its own lines back, with numbers that are used once?"""

from collections import Counter
from typing import ClassVar

from lessons.workshop.judge import Model

PROMISES = {
    "Each text frame is a line": "texts",
    "All connections share one count": "test_numbers_stay_right_at_the_same_time",
    "For line 2 they are": "test_a_line_gets_its_number",
    "An empty text is a line too": ("test_lines_are_kept", "session"),
    "A server may leave out the key": "test_an_unused_key_may_be_none",
}


class Notes(Model):
    texts = ("milk", "eggs", "a / b", "None")
    session = 1100  # so that numbers have four digits
    clients_are_independent = False  # they share the count
    promise_of: ClassVar = {
        "shared-value-on-self": "All connections share one count",
        "empty-text-missed": "An empty text is a line too, and the number of lines has no limit.",
        "empty-bytes-missed": "Binary frames, empty or not, are not lines: send back their bytes, "
        "if any.",
        "none-as-text": "A server may leave out the key that a frame does not use, or may send it "
        "as None.",
    }

    def __init__(self):
        super().__init__()
        self.count = 0
        self.shared_numbers = 0  # numbers that would differ if each connection had its own count

    def connect(self, client):
        client.lines = []
        client.accept()

    def before(self, burst):
        # A consumer that the server cancels may not have taken a number for its line yet.
        self.cancelled = {step.client for step in burst if step.action == "kill"}

    def receive(self, client, text, data):
        if client.number in self.cancelled and self.branch((False, True)):
            return
        if text is None:
            self.send_back(client, data)
        else:
            self.note(client, text)

    def send_back(self, client, data):
        """Binary frames, empty or not, are not lines: send back their bytes, if any."""
        client.send(data=data)

    def note(self, client, text):
        """Each line is answered with two text frames. For line 2 they are `number 2` and
        `2: milk / eggs`. No number is used twice, and no number is left out."""
        self.count += 1
        client.lines.append(text)
        self.shared_numbers += self.count != len(client.lines)
        client.send(f"number {self.count}")
        self.send_lines(client)

    def send_lines(self, client):
        """The second frame holds the number of the line, then all lines that this connection has
        sent so far, unchanged, with ` / ` between them."""
        client.send(f"{self.count}: {' / '.join(client.lines)}")

    def diagnose(self, difference):
        step, model = difference.step, difference.model
        if step is None or step.action not in ("text", "bytes"):
            return None
        if difference.fault:
            return diagnose_fault(difference)
        wanted, got = ({*message} for message in difference.pair or ({}, {}))
        if wanted ^ got == {"text", "bytes"}:
            return "text-became-bytes" if step.action == "text" else "bytes-became-text"
        if not difference.received and is_missed_if_empty(difference):
            return f"empty-{step.action}-missed"
        if is_empty(step) and step.action == "bytes" and difference.texts(difference.received):
            return "empty-bytes-missed"
        if step.action == "text" and not difference.received and has_both_keys(difference):
            return "none-as-text"
        if has_lines_of_others(difference):
            return "shared-mutable"
        if len(difference.steps_of_burst) == 1:
            own = model.clients[difference.client].lines
            wrong = difference.pair[1].get("text") if difference.pair else None
            is_own_count = model.shared_numbers == 1 and wrong == f"number {len(own)}"
            # After a pause without clients, the count may have begun again.
            return "shared-value-on-self" if is_own_count and len(model.open_clients) > 1 else None
        return "changed-while-waiting" if uses_a_number_twice(difference) else None


def is_empty(step):
    return "" in step.arguments.values()


def has_both_keys(difference):
    """Whether the server sends the key that a frame does not use, as None."""
    return "keys both" in map(str, difference.steps)


def is_missed_if_empty(difference):
    """Whether the frame is empty, and one of its kind was answered right when it was not empty."""
    step = difference.step
    own = [it for it in difference.steps_so_far if it.client == step.client]
    return is_empty(step) and any(it.action == step.action and not is_empty(it) for it in own)


def diagnose_fault(difference):
    if difference.step.action == "bytes" and difference.fault.diagnosis == "none-as-text":
        is_missed = not has_both_keys(difference) and is_missed_if_empty(difference)
        return "empty-bytes-missed" if is_missed else None
    confuses = difference.fault.diagnosis in ("bytes-on-text", "send-without-payload")
    if not confuses or difference.step.action != "text":
        return None
    # The consumer has answered a text frame as a binary frame.
    if not difference.step.arguments["text"]:
        return "empty-text-missed"
    return "none-as-text" if has_both_keys(difference) else None


def has_lines_of_others(difference):
    """Whether an answer holds a line that only other clients have sent, and one of its own."""
    model = difference.model
    own = {*model.clients[difference.client].lines}
    others = {line for client in model.by_connection.values() for line in client.lines} - own
    for text in difference.texts(difference.received):
        lines = f" / {text.partition(': ')[2]} / "
        if all(any(f" / {line} / " in lines for line in some) for some in (own, others)):
            return True
    return False


def uses_a_number_twice(difference):
    """Whether two lines have the same number, or one line has two numbers, in this burst."""
    clients = difference.report.clients.values()
    texts = [message.get("text") or "" for seen in clients for _, message in seen.received]
    first = Counter(text[7:] for text in texts if text.startswith("number "))
    second = Counter(text.partition(": ")[0] for text in texts if not text.startswith("number "))
    return any(count > 1 for count in (first + second - Counter({*first} & {*second})).values())


def test_a_line_gets_its_number(play):
    """The first line is answered with "number 1", then with the number and the line."""
    play("connect | text milk")


def test_lines_are_kept(play):
    """Each line is answered with all lines so far, also an empty line and a repeated one."""
    play(["connect", *(f"text {it}".strip() for it in ("milk", "eggs", "", "eggs", "a / b", "ä"))])


def test_the_number_of_lines_has_no_limit(play):
    """The three hundredth line is answered with all three hundred lines."""
    play(["connect", *(f"text line {number}" for number in range(300))])


def test_bytes_come_back_and_are_no_line(play):
    """A binary frame comes back unchanged, and gets no number."""
    play("connect | bytes 00ff | text milk | bytes 636865657365 | text eggs | bytes | text ham")


def test_an_unused_key_may_be_none(play):
    """Frames of servers that send the unused key as None are answered in the same way."""
    play("keys both | connect | bytes 61 | text b")


def test_each_connection_has_its_own_lines(play):
    """Two clients share the count, and each has its own lines, also when one has left."""
    play(
        "connect | 2 connect | text milk | text eggs | 2 text nails | close 1001 | 2 text glue"
        " | connect | 2 text tape"
    )


def test_numbers_stay_right_at_the_same_time(play):
    """Two clients send a line at the same time, and no number is used twice or left out."""
    play.at_each_point(
        "connect | 2 connect | 2 text nails | text milk | at * 2 text glue | text eggs"
    )
    play("connect | 2 connect | text milk | & 2 text nails | text eggs | & 2 text glue")


def test_a_line_whose_client_leaves_keeps_its_number(play):
    """The number of a line is not used again, even if its client leaves before the answer."""
    play.at_each_point("connect | 2 connect | text a | & 2 text b | at * kill | 2 text c")


def test_stops_whatever_the_code(play):
    """The consumer stops when the client leaves, with or without a code."""
    for end in ("close 1000", "close 1001", "close"):
        play(f"connect | {end}")
