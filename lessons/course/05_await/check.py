"""Lesson 5: does each connection get its own lines back, awaited?"""

from lessons.judge import Model


class Notes(Model):
    texts = ("milk", "eggs", "a / b", "None")
    silent_after_disconnect = True  # each frame has one answer, and nothing else is sent

    def connect(self, client):
        """Each connection has its own notepad."""
        client.lines = []
        client.accept()

    def receive(self, client, text, data):
        """The notepad notes it unchanged and answers with all lines of this connection so far"""
        if text is None:
            client.send(data=data)
        else:
            client.lines.append(text)
            client.send(" / ".join(client.lines))

    def diagnose(self, difference):
        step, model = difference.step, difference.model
        if step is None or step.action not in ("text", "bytes"):
            return None
        if difference.fault:
            confuses = difference.fault.diagnosis in ("bytes-on-text", "send-without-payload")
            if confuses and step.action == "text":  # it was answered as a binary frame
                if not step.arguments["text"]:
                    return "empty-text-missed"
                return "none-as-text" if "keys both" in map(str, difference.steps) else None
            return None
        wanted, got = ({*message} for message in difference.pair or ({}, {}))
        if wanted ^ got == {"text", "bytes"}:
            return "text-became-bytes" if step.action == "text" else "bytes-became-text"
        own = {*model.clients[difference.client].lines}
        others = {line for client in model.clients.values() for line in client.lines} - own
        for text in difference.texts(difference.received):
            lines = {*text.split(" / ")}
            if lines & others and lines & own:  # the lines of all are in one list
                return "shared-mutable"
        return None


def test_a_line_comes_back(play):
    """The first line comes back unchanged."""
    play("connect | text milk")


def test_lines_are_kept(play):
    """Each line is answered with all lines so far, the empty one and the repeated one too."""
    play(["connect", *(f"text {it}".strip() for it in ("milk", "eggs", "", "eggs", "a / b", "ä"))])


def test_the_number_of_lines_has_no_limit(play):
    """The three hundredth line is answered with all three hundred lines."""
    play(["connect", *(f"text line {number}" for number in range(300))])


def test_bytes_come_back_and_are_not_noted(play):
    """A binary frame comes back unchanged, and is not noted."""
    play("connect | bytes 00ff | text milk | bytes 636865657365 | text eggs | bytes | text ham")


def test_an_unused_key_may_be_none(play):
    """Frames of servers that send the unused key as None are answered in the same way."""
    play("keys both | connect | bytes 61 | text b", otherwise="none-as-text")


def test_each_connection_has_its_own_lines(play):
    """Of two clients at once, each has its own notepad, also when one has left."""
    play("connect | text milk | 2 connect | 2 text nails | text eggs | close 1001 | 2 text glue")


def test_lines_at_the_same_time_stay_apart(play):
    """Two clients send a line at the same time, and each gets its own lines."""
    play("connect | 2 connect | text milk | & 2 text nails | text eggs | & 2 text glue")
    play.at_each_point("connect | 2 connect | 2 text nails | text milk | at * 2 text glue")


def test_stops_whatever_the_code(play):
    """The consumer stops when the client leaves, with or without a code."""
    for end in ("close 1000", "close 1001", "close"):
        play(f"connect | {end}")
