"""A model says what each client must receive; a difference is what none of its states allows."""

from dataclasses import replace

import pytest

from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.engine.model.expected import Answer, Expected, Stream, still_expected
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import (
    detail_of,
    find_difference,
    generic_diagnosis,
)
from lessons.workshop.engine.script.report import BurstReport, ClientFault, ClientReport, Report
from lessons.workshop.engine.script.steps import bursts_of
from lessons.workshop.engine.world.daphne_rules import CODE_DROPPED
from lessons.workshop.judge.claims import parse_conversation

ACCEPT = {"type": "websocket.accept"}
SIGNS = {"+": ACCEPT, "!": {"type": "websocket.close"}}
TWO = "connect | 2 connect | text a | & 2 text b", "+", {2: "+"}


def message_of(sign):
    text = {"type": "websocket.send", "text": sign}
    return SIGNS.get(sign, text) if isinstance(sign, str) else sign


def seen(signs=(), time=0.0, **fields):
    """What a client saw: `+` stands for the accept, `!` for a close, others for a text frame."""
    received = tuple((time, message_of(sign)) for sign in signs)
    return ClientReport(received, tuple(None for _ in received), **fields)


def difference(model, conversation, *bursts, answer=None, **second):
    """The difference if each client has seen that in `bursts`; client 1 if no number is given.

    At the end all clients leave, and their consumers stop. `second` are fields of the second burst.
    """
    reports, steps = [], parse_conversation(conversation)
    for number, burst in enumerate(bursts_of(steps)):
        given = bursts[number] if number < len(bursts) else {}
        given = given if isinstance(given, dict) else {1: given}
        clients = {n: it if isinstance(it, ClientReport) else seen(it) for n, it in given.items()}
        for step in burst:
            if step.action == "close":
                clients.setdefault(step.client, seen(ended=True))
        reports.append(BurstReport((), clients, (answer,) * len(burst)))
    if second:
        reports[1] = replace(reports[1], **second)
    return find_difference(model(), steps, Report(tuple(reports)))


class Echo(Model):
    def receive(self, client, text, data):
        if text is not None:
            client.send(text)


@pytest.mark.parametrize(
    ("received", "name"),
    [
        ("a", None),
        ([{**message_of("a"), "bytes": None}], None),
        ([{**message_of("a"), "txt": "Daphne ignores this key"}], None),
        ("b", "reply-differs"),
        ([{**message_of("a"), "text": 1}], "reply-differs"),
        ("", "no-reply"),
        ("aa", "reply-too-many"),
        ("!", "closed-early"),
        ("a!", "closed-early"),
    ],
)
def test_names_what_the_client_sees(received, name):
    found = difference(Echo, "connect | text a", "+", received)
    assert (found and generic_diagnosis(found)) == name
    if found:
        assert (found.client, found.burst, str(found.step)) == (1, 1, "text a")


def test_reports_a_fault_of_the_server_before_any_difference():
    faults = (ClientFault(1, make_finding("exception")),)
    found = difference(Echo, "connect | text a", "+", "b", faults=faults)
    assert generic_diagnosis(found) == "exception"


def test_a_model_may_allow_a_fault_of_the_server():
    class Lenient(Echo):
        allowed_faults = ("exception",)

    faults = (ClientFault(1, make_finding("exception")),)
    assert difference(Lenient, "connect | text a", "+", "a", faults=faults) is None


@pytest.mark.parametrize(("ends", "name"), [(False, "refuses-everyone"), (True, CODE_DROPPED)])
def test_the_code_of_a_rejection_is_a_fault_only_if_the_client_had_to_receive_a_code(ends, name):
    class Door(Echo):
        def connect(self, client):
            client.accept()
            if ends:
                client.close(4000)

    fault = ClientFault(1, make_finding(CODE_DROPPED))
    turn = BurstReport((), {1: seen("!")}, (None,), faults=(fault,))
    found = find_difference(Door(), parse_conversation("connect"), Report((turn,)))
    assert generic_diagnosis(found) == name


def test_shows_the_characters_of_texts_that_look_alike():
    found = difference(Echo, 'connect | text "e\\u0301"', "+", "\xe9")
    assert r"expected 'e\u0301', got '\xe9'" in detail_of(found)


def test_marks_what_only_the_model_tells_apart():
    class Door(Model):
        def connect(self, client):
            client.reject(bare=True)

    found = difference(Door, "connect", [{"type": "websocket.close", "reason": "full"}])
    assert '≠ got       websocket.close  reason: "full"' in detail_of(found)


def test_a_client_that_leaves_may_miss_the_answers_of_the_same_burst():
    for received in ("", "a"):
        bursts = "+", {1: seen(received, ended=True)}
        assert difference(Echo, "connect | text a | & close", *bursts) is None


class Relay(Model):
    def receive(self, client, text, data):
        for one in self.open_clients:
            one.send(text)


def test_events_in_the_air_may_happen_in_any_order_that_is_the_same_for_all_clients():
    for first, second, is_right in (("ab", "ab", True), ("ba", "ba", True), ("ab", "ba", False)):
        assert (difference(Relay, *TWO, {1: first, 2: second}) is None) == is_right
    assert difference(Relay, "connect | text a | & text b", "+", "ba") is not None


def test_a_difference_shows_in_the_state_that_explains_most_clients():
    found = difference(Relay, *TWO, {1: "bx", 2: "ba"})
    assert (found.client, found.expected) == (1, [message_of("b"), message_of("a")])


@pytest.mark.parametrize(("count", "own", "is_right"), [(1, "+", 0), (0, "+", 1), (1, "+a", 1)])
def test_a_client_that_was_accepted_at_the_point_had_connected_before_it(count, own, is_right):
    steps = "2 connect | connect | at 1 2 text a"
    clients = {1: seen(own), 2: seen("a")}
    found = difference(Relay, steps, {2: "+"}, {}, clients=clients, at_point={1: count})
    assert (found is None) == is_right


def test_each_state_of_a_model_has_its_own_containers():
    class Keeper(Model):
        def __init__(self):
            super().__init__()
            self.texts_by_client, self.seen = {}, set()

        def receive(self, client, text, data):
            self.texts_by_client[client.number] = text
            self.seen.add(text)
            client.send(str(len(self.texts_by_client) + len(self.seen)))

    assert difference(Keeper, *TWO, {1: "4", 2: "2"}) is None
    assert difference(Keeper, *TWO, {1: "2", 2: "2"}) is not None


class Clock(Model):
    def connect(self, client):
        client.accept()
        self.after(1, self.tick, client)

    def tick(self, client):
        client.send("1", at=self.now)


def test_compares_times():
    assert difference(Clock, "connect | wait 2", "+", {1: seen("1", 1.0)}) is None
    found = difference(Clock, "connect | wait 2", "+", {1: seen("1", 1.5)})
    assert generic_diagnosis(found) == "wrong-time"
    assert "1.5 s" in detail_of(found)


def test_a_timer_belongs_to_one_connection_of_its_client():
    steps = "connect | wait 0.5 | close | connect | wait 0.6"
    assert difference(Clock, steps, "+", "", {1: seen(ended=True)}, "+") is None


class Baker(Model):
    def receive(self, client, text, data):
        client.send("b")
        client.send("d", until=self.now + 10)


def test_a_message_may_come_until_its_time():
    steps = "connect | text a | wait 5 | wait 5", "+"
    for bursts in (("bd",), ("b", "d"), ("b", "", "d")):
        assert difference(Baker, *steps, *bursts) is None
    assert difference(Baker, *steps, "b").burst == 3


class Letters(Model):
    """Each text goes to client 1. A text in capitals may be missed."""

    def receive(self, client, text, data):
        self.clients[1].send(text, lane=client.number, may_miss=text.isupper())


@pytest.mark.parametrize(
    ("sent", "received", "name"),
    [
        *(("ab", order, None) for order in ("abc", "acb", "cab")),
        ("ab", "bac", "reply-differs"),
        ("ab", "ab", "no-event-arrived"),
        ("ab", "abca", "reply-too-many"),
        *(("AB", order, None) for order in ("ABc", "Bc", "c")),
        ("AB", "Ac", "no-event-arrived"),  # none of a lane may be missing after its first
    ],
)
def test_messages_of_one_lane_come_in_their_order(sent, received, name):
    steps = f"connect | 2 connect | 3 connect | 2 text {sent[0]} | & 2 text {sent[1]} | & 3 text c"
    found = difference(Letters, steps, "+", {2: "+"}, {3: "+"}, received)
    assert (found and (found.client, generic_diagnosis(found))) == (name and (1, name))


def test_an_answer_that_is_due_during_another_step_needs_no_event():
    class Late(Model):
        def receive(self, client, text, data):
            self.after(1, self.answer, client)

        def answer(self, client):
            client.send("late")

    found = difference(Late, "connect | & text a | take spy | take spy", "+", "", "", time=2)
    assert generic_diagnosis(found) == "no-reply"


def test_each_state_has_its_own_client_if_a_timer_is_set_for_one_that_left():
    class Late(Model):
        def connect(self, client):
            client.waiting = []
            client.accept()

        def receive(self, client, text, data):
            client.waiting.append(text)
            self.after(1, self.answer, client)

        def answer(self, client):
            client.waiting.remove("a")

    steps = "connect | & text a | & close | connect | take spy"
    assert difference(Late, steps, seen("+", ended=True), "+", time=1) is None


def test_without_a_lane_each_message_that_may_be_missed_is_missed_alone():
    class Free(Model):
        def receive(self, client, text, data):
            for letter in "abc":
                client.send(letter, may_miss=letter != "b")

    for received, is_right in (("b", True), ("ab", True), ("bc", True), ("ac", False)):
        assert (difference(Free, "connect | text x", "+", received) is None) == is_right


class Open(Model):
    """It may answer a binary frame, and says how often it did."""

    def connect(self, client):
        client.answers = 0
        client.accept()

    def receive(self, client, text, data):
        if text is None and self.branch():
            return
        client.answers += 1
        client.send(self.branch("xyz"))
        client.send(f"{client.answers}")


RIGHT = ("- - x1", "x1 - y2", "- z1 x2", "y1 y2 y3")


@pytest.mark.parametrize("received", [*RIGHT, "x1 - y1", "- - x2", "x1 x1 x2", "- - a1"])
def test_follows_each_way_that_an_exercise_leaves_open(received):
    bursts = (it.strip("-") for it in received.split())
    found = difference(Open, "connect | bytes 00 | bytes 00 | text a", "+", *bursts)
    assert (found is None) == (received in RIGHT)


def test_a_model_knows_the_channels_of_the_burst_before():
    steps = "connect | text {channel of 1} | text {channel of 2}"
    begin, known = ({1: seen(it, channel="a!1")} for it in ("+", ["a!1"]))
    assert difference(Echo, steps, begin, known, [message_of("{channel of 2}")]) is None


@pytest.mark.parametrize("kinds", [("ValueError",), ("NoHandler", "ValueError"), ("TypeError",)])
def test_a_consumer_ends_with_an_error_of_the_class_that_the_model_names(kinds):
    class Broken(Model):
        def receive(self, client, text, data):
            client.fail("ValueError")

    client = {1: seen(ended=True, raised=f"{kinds[0]}: no", raised_kinds=kinds)}
    faults = (ClientFault(1, make_finding("exception")),)
    found = difference(Broken, "connect | text a", "+", client, faults=faults)
    assert (found is None) == ("ValueError" in kinds)
    found = difference(Broken, "connect | text a", "+", "")
    assert found.missing == {"type": "raised", "error": "ValueError"}


def test_compares_the_answer_of_a_step():
    class Reader(Model):
        def other(self, step):
            return Answer([1])

    assert difference(Reader, "rows a.B", answer=[1]) is None
    found = difference(Reader, "rows a.B", answer=[True])
    assert detail_of(found) == "After `rows a.B`, the answer was [True]; expected [1]."


def test_what_a_model_finds_besides_the_messages_is_a_fault():
    class Lean(Echo):
        def fault_in(self, turn, played):
            return (1, "needless-thread-hop", "why") if turn.thread_jobs else None

        def fault_at_end(self, turn):
            return (None, "wrong-layer", "") if turn.layers else None

    steps = "connect | text a", "+", "a"
    found = difference(Lean, *steps, thread_jobs=1, layers=("default",))
    assert (found.burst, found.client, found.fault.detail) == (1, 1, "why")
    assert difference(Lean, *steps, layers=("default",)).fault.diagnosis == "wrong-layer"
    assert difference(Lean, *steps) is None


def pieces(*bodies):
    return [{"type": "http.response.body", "body": it, "more_body": it != b"c"} for it in bodies]


@pytest.mark.parametrize(
    ("first", "time", "second", "is_right"),
    [
        ([b"ab"], 1.0, [b"c"], True),
        ([b"a", b"", b"b"], 1.0, [b"c"], True),
        ([b"a"], 1.0, [b"bc"], False),
        ([b"ab"], 1.5, [b"c"], False),
        ([b"abc"], 0.0, [], False),
        ([b"ab"], 0.0, [], False),
    ],
)
def test_a_response_may_be_cut_into_any_pieces(first, time, second, is_right):
    class Streamed(Model):
        def request(self, client, body):
            right = [*zip((0.0, 1.0), pieces(b"ab", b"c"), strict=True)]
            client.expect(
                Stream(right, lambda it: [(at, one) for at, m in it for one in m["body"]])
            )

    bursts = {}, pieces(*first), {1: seen(pieces(*second), time)}
    found = difference(Streamed, "POST 1 ... | piece 2 | wait 2", *bursts)
    assert (found is None) == is_right


def test_a_message_was_promised_by_the_innermost_method_with_a_docstring():
    class Counter(Model):
        def connect(self, client):
            """Each client is accepted."""
            client.accept()
            self.begin(client)

        def begin(self, client):
            """The first frame is a `1`."""
            self.count(client)

        def count(self, client):
            client.send("1")

    found = difference(Counter, "connect", [])
    assert [it.promise for it in found.wanted] == [
        "Each client is accepted.",
        "The first frame is a `1`.",
    ]
    assert difference(Counter, "connect", "+12").model.last_promise == "The first frame is a `1`."


def test_what_is_due_while_a_consumer_is_slow_may_come_in_this_burst_or_the_next():
    class Alarm(Model):
        def receive(self, client, text, data):
            self.after(1, self.ring, client)

        def ring(self, client):
            client.send("ring")

    for first, second, is_right in (("", "b", 0), ("ring", "", 1), ("", "ring", 1)):
        signs = [[it] if it else [] for it in (first, second)]
        found = difference(Alarm, "connect | text a | wait 0.5", "+", *signs, time=1.1)
        assert (found is None) == is_right, (first, second)


def test_matches_many_equal_messages_by_the_time_at_which_they_are_due():
    equal = [Expected(message_of("a"), until=time) for time in range(40, 0, -1)]
    came = [(0, message_of("a"))] * 30
    left = still_expected([*equal, Expected(message_of("b"), until=9)], came, now=8)
    assert [item.until for item in left] == [9, *range(31, 41)]
    assert still_expected(equal, [*came, (0, message_of("b"))], now=8) is None
