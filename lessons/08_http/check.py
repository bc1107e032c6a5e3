"""Lesson 8: do the seconds come as a stream of events, and does the stream end with its client?"""

import re
from typing import ClassVar

from lessons.workshop.judge import DIGITS, Model, Stream, parse_step

END = None  # what a page reads at the end of the response
TOLERANCE = 0.05
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream")],
}
FEW = 3  # pieces of a body
LONGEST = 8_000  # seconds, more than a conversation lasts
IN_PIECES = "It can come in several pieces: begin the response after the last one."
LEFT_OUT = "The server can omit an empty `body`, and `more_body` if it is False."
PROMISES = {
    "The body of the request is a number": "inputs",
    "The server can omit": "test_what_is_left_out_is_empty",
    "If the body is not a number": "No conversation has such a body.",
    "The response has the status 200": "request",
    "The response ends right after": "test_counts_down_to_zero",
    "You may add other headers": "The model compares only the content type.",
    "The server sends `http.disconnect`": "test_stops_where_the_client_leaves_before_it_has_asked",
    "Then the consumer stops": "disconnect",
}


class Countdown(Model):
    handshakes = (
        *("POST 2", "POST 0", "POST 1 2", 'POST "" 3 ""', "POST 1 ...", "POST 2 ...", "POST 100"),
    )
    actions = ("piece 0", "piece 1", "piece 0 ...", "piece")
    others = ("wait 0.53", "wait 1.61", "wait 4.27")
    inputs: ClassVar = {"POST …": (*DIGITS, "3601", "100000"), "POST 1 …": DIGITS}
    long_conversations = (
        "POST 1202 | wait 1201.5 | 2 POST 61 | 3 POST 3602 | wait 30 | wait 32",
        f"POST {'0 ' * 300}1 2 | wait 1.5",
        "POST 9007199254740993 | close",  # at once: a clock in floats may be off by a second
    )
    setups = ((), ("keys fewer",))
    frames = ()
    ends = Model.leaves  # a cancel may leave the task
    promise_of: ClassVar = {
        "body-read-once": IN_PIECES,
        **dict.fromkeys(
            ("not-an-event-stream", "headers-not-bytes", "headers-not-pairs", "status-not-int"),
            "The response has the status 200 and the content type `text/event-stream`.",
        ),
        "response-missing": f"{IN_PIECES} {LEFT_OUT}",
        "http-key-left-out": LEFT_OUT,
        **dict.fromkeys(
            ("response-not-finished", "wrong-time"), "The response ends right after `data: 0`."
        ),
        "event-early": "The events `data: 2`, `data: 1` and `data: 0` follow, each a second later.",
        **dict.fromkeys(
            ("http-no-stop-consumer", "no-http-disconnect-handler"),
            "The server sends `http.disconnect` when the client has left, and also after a "
            "complete response. Then the consumer stops, unless it has already stopped.",
        ),
    }

    def request(self, client, body):
        """For `3`, the consumer sends the event `data: 3` and an empty line at once. The events
        `data: 2`, `data: 1` and `data: 0` follow, each a second later."""
        client.seconds = int(body)
        right = [(self.now, START)]
        for passed in range(min(client.seconds, LONGEST) + 1):
            right.append((self.now + passed, event(client.seconds - passed)))
        stream = Stream(right, read)
        stream.promise = f"{IN_PIECES} {self.promise}" if comes_in_pieces(client) else ""
        client.expect(stream)

    def request_piece(self, client):
        """It can come in several pieces: begin the response after the last one."""

    def disconnect(self, client):
        """When the client leaves, perhaps before its body is complete, the countdown ends."""

    def fault_in(self, turn, played):
        """When the client leaves, perhaps before its body is complete, the countdown ends."""
        [step, *others] = map(parse_step, turn.steps)
        sent = turn.clients[step.client].too_late if step.kind.ends and not others else ()
        detail = f"After the client had left, the consumer sent {len(sent)} more events."
        return (step.client, "stream-outlives-client", detail) if sent else None

    def diagnose(self, difference):
        client = self.clients.get(difference.client)
        if client is None or client.stream is None:
            return None
        cut = comes_in_pieces(client)
        if difference.fault:
            is_second = difference.fault.diagnosis in ("started-twice", "answered-twice")
            return "body-read-once" if is_second and cut else None
        received = [*client.stream.received, *difference.arrivals]
        wanted, found = client.stream.wanted, client.stream.found(received)
        if not received or found is None:
            return "not-an-event-stream" if received else None
        begins_wrong = found and found[0] != wanted[0]
        if cut and begins_wrong and found[0][1] in numbers_of_one_piece(difference, client):
            return "body-read-once"
        return diagnose_events(difference, wanted, found, b"".join(bodies(received)))

    def explain(self, difference):
        if self.diagnose(difference) not in ("event-early", "event-late", "wrong-time"):
            return None
        stream = self.clients[difference.client].stream
        off = off_time(stream.wanted, stream.found([*stream.received, *difference.arrivals]))
        if off is None:
            return None
        value, time, due = off
        what = "the end of the response" if value is END else f"`data: {value}`"
        return f"The client received {what} at {time:.4g} s; it was due at {due:.4g} s."


def comes_in_pieces(client):
    """Whether the body of this client's request comes in several pieces."""
    return len(client.handshake.get("pieces", "")) > 1 or client.handshake.get("unfinished")


def diagnose_events(difference, wanted, found, body):
    values, own = [value for _, value in wanted], [value for _, value in found]
    if len(re.findall(rb"data:[^\n]*\n\n", body)) < body.count(b"data:"):
        return "event-not-ended"
    if own == [values[0], END]:
        return "response-cut-short"
    if own != values[: len(own)]:
        return None
    off = off_time(wanted, found)
    if off is None:  # something else came, or nothing
        if own == values[:-1] or (own == values[:-2] and len(own) > 1):
            return "response-not-finished"
        return "event-late" if difference.missing else None
    value, time, due = off
    if value is END:
        return "wrong-time"
    return "event-early" if time < due else "event-late"


def off_time(wanted, found):
    """Return what came first at a wrong time, that time, and when it was due; or None."""
    pairs = zip(found, wanted, strict=False)
    values = ((value, time, due) for (time, value), (due, _) in pairs)
    return next((it for it in values if abs(it[1] - it[2]) > TOLERANCE), None)


def numbers_of_one_piece(difference, client):
    """The numbers that a consumer begins with if it reads only the first or only the last piece."""
    own = [step for step in difference.steps_so_far if step.client == client.number]
    pieces = list(client.handshake.get("pieces", [""]))
    pieces += [step.arguments["piece"] for step in own if step.action == "piece"]
    filled = [piece for piece in pieces if piece]
    if len(filled) > FEW:  # the end of many pieces may be missing, too
        return set()
    return {str(int(piece or "0")) for piece in (pieces[0], pieces[-1], *filled[:1])}


def event(left):
    body = f"data: {left}\n\n".encode()
    return {"type": "http.response.body", "body": body, "more_body": left > 0}


def bodies(messages):
    return [it.get("body") or b"" for _, it in messages if it["type"] == "http.response.body"]


def read(messages):
    """What an EventSource reads in these messages: (time, value) pairs. None if it cannot."""
    found, rest, size, lengths = [], "", 0, ()
    for time, message in messages:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            size += len(body)
            text = rest + body.decode()
            *events, rest = text.replace("\r\n", "\n").split("\n\n")
            found += [(time, value) for value in map(value_of, events) if value is not None]
            if not message.get("more_body", False):
                found.append((time, END))
        elif not is_event_stream(message):
            return None
        else:
            lengths = [int(it) for it in values_of(message, b"content-length")]
    ended = bool(found) and found[-1][1] is END
    return None if any(it < size or (ended and it > size) for it in lengths) else found


def is_event_stream(start):
    kinds = {it.partition(b";")[0] for it in values_of(start, b"content-type")}
    encodings = {*values_of(start, b"content-encoding")} - {b"identity"}
    return start["status"] == 200 and kinds == {b"text/event-stream"} and not encodings


def values_of(start, header):
    headers = start["headers"]
    return [value.strip().lower() for name, value in headers if bytes(name).lower() == header]


def value_of(event):
    """The data of an event, after its name: a page receives it only if it listens for that name."""
    fields = [line.partition(":")[::2] for line in event.split("\n")]
    data = [value.removeprefix(" ") for name, value in fields if name == "data"]
    names = {value.strip() for name, value in fields if name == "event"} - {"", "message"}
    return "\n".join([*names, *data]) if data else None


def test_counts_down_to_zero(play):
    """A request for 3 seconds gets the events 3, 2, 1, 0, and then the response ends."""
    play("POST 3 | wait 0.5 | wait 0.6 | wait 0.8 | wait 0.2 | wait 2")
    play("POST 0 | wait 0.5")


def test_a_second_lies_between_two_events(play):
    """The first event comes at once, and each other event one second after the one before."""
    play("POST 12 | wait 0.9 | wait 0.2 | wait 20")


def test_the_pieces_are_one_number(play):
    """A body in pieces is one number: "1" and "2" are 12 seconds. An empty piece adds nothing."""
    for request in ("POST 1 2", 'POST "" 12', 'POST 1 2 ""', "POST 1 ... | piece 2"):
        play(f"{request} | wait 5.5 | wait 9")
    play('POST 1 0 ... | piece "" ... | piece 1 | wait 2.5')
    many = [*['piece "" ...'] * 6, "piece 0 ...", 'piece "" ...', "wait 4000", 'piece ""']
    play(["POST 0 0 ...", *many[:5], "piece 1 ...", *many, "wait 10.5"])


def test_each_client_has_its_own_countdown(play):
    """Two clients at the same time each have their own countdown."""
    play("POST 1 ... | 2 POST 0 ... | piece 0 | 2 piece 2 | wait 3.5 | wait 9")
    play("POST 10 | & 2 POST 2 | wait 3.5 | wait 9")


def test_what_is_left_out_is_empty(play):
    """An event without "body" adds nothing. An event without "more_body" is the last."""
    play('keys fewer | POST 1 "" | wait 2 | 2 POST "" 1 | wait 2')


def test_ends_where_the_client_leaves(play):
    """When the client leaves, the countdown ends and the consumer stops."""
    play("POST 100 | wait 1.5 | close")
    # Perhaps it leaves while the consumer sends. Other clients must not notice.
    play.at_each_point("POST 100 | at * close | 2 POST 0")
    play.at_each_point("POST 100 | wait 1 | at * close | 2 POST 0")


def test_stops_where_the_client_leaves_before_it_has_asked(play):
    """When the client leaves before its body is complete, the consumer stops."""
    play("POST 1 ... | close")


def test_a_countdown_goes_on_when_another_client_leaves(play):
    """When one of two clients leaves, the countdown of the other one continues."""
    play("POST 100 | 2 POST 100 | wait 0.5 | close | wait 1.2 | 2 close")
    play("POST 100 | 2 POST 100 | wait 0.5 | 2 close | wait 1.2")
