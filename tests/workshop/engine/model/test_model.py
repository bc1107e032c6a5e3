"""A model says what each client must receive; a difference is what none of its states allows."""

from dataclasses import dataclass, replace

import pytest

from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.engine.model.expected import Answer, Expected, Stream
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import (
    detail_of,
    find_difference,
    generic_diagnosis,
)
from lessons.workshop.engine.script.report import BurstReport, ClientFault, ClientReport, Report
from lessons.workshop.engine.script.steps import bursts_of
from lessons.workshop.judge.claims import parse_conversation

ACCEPT, CLOSE = {"type": "websocket.accept"}, {"type": "websocket.close"}
ACCEPTED = {1: (ACCEPT,)}


def text(content):
    return {"type": "websocket.send", "text": content}


def texts(contents):
    return tuple(map(text, contents))


def seen(*messages, **fields):
    """What one client has seen; a message is a dict or a pair (time, dict)."""
    received = tuple(it if isinstance(it, tuple) else (0.0, it) for it in messages)
    return ClientReport(received, tuple(None for _ in received), **fields)


def played(conversation, *bursts, answers=()):
    """A conversation in which the clients have seen `bursts`: a dict by client for each burst."""
    reports = []
    for number, burst in enumerate(bursts_of(parse_conversation(conversation))):
        given = bursts[number] if number < len(bursts) else {}
        clients = {n: seen(*it) if isinstance(it, tuple) else it for n, it in given.items()}
        for step in burst:  # all clients leave at the end, and their consumers stop
            if step.action == "close":
                clients.setdefault(step.client, seen(ended=True))
        answer = answers[number] if number < len(answers) else None
        reports.append(BurstReport((), clients, (answer,) * len(burst)))
    return Report(tuple(reports))


def difference(model, conversation, *bursts, **changes):
    """The difference in a conversation. `changes` are fields of the report on the second burst."""
    answers = changes.pop("answers", ())
    report = played(conversation, *bursts, answers=answers)
    first, *rest = report.bursts
    if changes:
        rest[0] = replace(rest[0], **changes)
    report = replace(report, bursts=(first, *rest))
    return find_difference(model(), parse_conversation(conversation), report)


class Echo(Model):
    def receive(self, client, text, data):
        if text is not None:
            client.send(text)


@pytest.mark.parametrize(
    ("received", "name"),
    [
        ((text("a"),), None),
        (({**text("a"), "bytes": None},), None),
        (({**text("a"), "txt": "Daphne ignores this key"},), None),
        ((text("b"),), "reply-differs"),
        ((text(1),), "reply-differs"),
        ((), "no-reply"),
        ((text("a"), text("a")), "reply-too-many"),
        ((CLOSE,), "closed-early"),
        ((text("a"), CLOSE), "closed-early"),
    ],
)
def test_names_what_the_client_sees(received, name):
    found = difference(Echo, "connect | text a", ACCEPTED, {1: received})
    assert (found and generic_diagnosis(found)) == name
    if found:
        assert (found.client, found.burst, str(found.step)) == (1, 1, "text a")


def test_names_a_key_that_daphne_ignores():
    class Chosen(Model):
        def connect(self, client):
            client.accept("chat")

    found = difference(Chosen, "connect", {1: ({**ACCEPT, "subprotocols": ["chat"]},)})
    assert "does not know the key 'subprotocols' of websocket.accept" in detail_of(found)


def test_reports_a_consumer_that_did_not_stop():
    found = difference(Echo, "connect | close", ACCEPTED, {1: ()})
    assert found.fault.diagnosis == "no-stop-consumer"


def test_reports_a_fault_of_the_server_before_any_difference():
    faults = (ClientFault(1, make_finding("exception")),)
    found = difference(Echo, "connect | text a", ACCEPTED, {1: (text("b"),)}, faults=faults)
    assert generic_diagnosis(found) == "exception"


def test_a_forgotten_await_explains_what_is_missing():
    steps = "connect | text a"
    report = replace(played(steps, ACCEPTED), leftovers=(make_finding("never-awaited"),))
    found = find_difference(Echo(), parse_conversation(steps), report)
    assert generic_diagnosis(found) == "never-awaited"


def test_a_client_that_leaves_may_miss_the_answers_of_the_same_burst():
    for received in ((), (text("a"),)):
        bursts = ACCEPTED, {1: seen(*received, ended=True)}
        assert difference(Echo, "connect | text a | & close", *bursts) is None


class Relay(Model):
    def receive(self, client, text, data):
        for one in self.open_clients:
            one.send(text)


def test_events_in_the_air_may_happen_in_any_order_that_is_the_same_for_all_clients():
    steps = "connect | 2 connect | text a | & 2 text b"
    for first, second, is_right in (("ab", "ab", True), ("ba", "ba", True), ("ab", "ba", False)):
        received = {1: texts(first), 2: texts(second)}
        assert (difference(Relay, steps, ACCEPTED, {2: (ACCEPT,)}, received) is None) == is_right


def test_the_frames_of_one_client_stay_in_order():
    found = difference(Relay, "connect | text a | & text b", ACCEPTED, {1: texts("ba")})
    assert found is not None


def test_a_difference_is_told_from_the_state_that_explains_most_clients():
    steps = "connect | 2 connect | text a | & 2 text b"
    received = {1: texts("bx"), 2: texts("ba")}
    found = difference(Relay, steps, ACCEPTED, {2: (ACCEPT,)}, received)
    assert (found.client, found.expected) == (1, [text("b"), text("a")])


def test_a_client_that_was_accepted_at_the_point_had_connected_before_it():
    steps = "2 connect | connect | at 1 2 text a"
    for count, own, is_right in (
        (1, (ACCEPT,), False),
        (0, (ACCEPT,), True),
        (1, (ACCEPT, text("a")), True),
    ):
        received = {1: own, 2: (text("a"),)}
        found = difference(Relay, steps, {2: (ACCEPT,)}, received, at_point={1: count})
        assert (found is None) == is_right


@dataclass(frozen=True)
class Pair:
    first: str
    second: str


class Keeper(Model):
    """Its state is in each kind of container, for the model and for the client."""

    def __init__(self):
        super().__init__()
        self.by_name, self.names, self.pairs = {}, set(), []

    def receive(self, client, text, data):
        client.kept = [*getattr(client, "kept", ()), text]
        self.by_name[text] = {**self.by_name, text: 1}
        self.names.add(text)
        self.pairs.append(Pair(text, text))
        client.send(f"{client.kept} {[*self.by_name]} {sorted(self.names)} {len(self.pairs)}")


def test_each_state_of_a_model_has_its_own_containers():
    steps = "connect | 2 connect | text a | & 2 text b"
    received = {1: (text("['a'] ['b', 'a'] ['a', 'b'] 2"),), 2: (text("['b'] ['b'] ['b'] 1"),)}
    assert difference(Keeper, steps, ACCEPTED, {2: (ACCEPT,)}, received) is None


class Clock(Model):
    def connect(self, client):
        client.accept()
        self.after(1, self.tick, client)

    def tick(self, client):
        client.send("1", at=self.now)


def test_compares_times():
    for time, is_right in ((1.0, True), (1.5, False)):
        found = difference(Clock, "connect | wait 2", ACCEPTED, {1: ((time, text("1")),)})
        assert (found is None) == is_right
    assert generic_diagnosis(found) == "wrong-time"
    assert "1.5 s" in detail_of(found)


def test_a_timer_of_an_earlier_connection_does_nothing_for_the_next_one():
    steps = "connect | close | connect | wait 0.5"
    bursts = ACCEPTED, {1: seen(ended=True)}, ACCEPTED
    assert difference(Clock, f"connect | wait 0.6 {steps[7:]}", bursts[0], {}, *bursts[1:]) is None


class Baker(Model):
    def receive(self, client, text, data):
        client.send("baking")
        client.send("done", until=self.now + 10)


def test_a_message_may_come_until_its_time():
    begin = ACCEPTED, {1: (text("baking"),)}
    steps = "connect | text a | wait 5 | wait 5"
    for bursts in ({1: (text("done"),)}, {}), ({}, {1: (text("done"),)}):
        assert difference(Baker, steps, *begin, *bursts) is None
    assert difference(Baker, steps, *begin).burst == 3


class Letters(Model):
    """Each text goes to client 1, beside the writer's own receipt."""

    def receive(self, client, text, data):
        client.send("sent")
        self.clients[1].send(text, lane=client.number, may_miss=text.isupper())


ALL = ("connect | 2 connect | 3 connect | 2 text {} | & 2 text {} | & 3 text c", ACCEPTED)
ALL += ({2: (ACCEPT,)}, {3: (ACCEPT,)})


@pytest.mark.parametrize(
    ("sent", "received", "name"),
    [
        *(("ab", order, None) for order in ("abc", "acb", "cab")),
        ("ab", "bac", "reply-differs"),
        ("ab", "ab", "no-reply"),
        ("ab", "abca", "reply-too-many"),
        *(("AB", order, None) for order in ("ABc", "Bc", "c")),
        ("AB", "Ac", "no-reply"),  # from the first message of a lane on, none is missing
    ],
)
def test_messages_of_one_lane_come_in_order(sent, received, name):
    steps, *begin = ALL
    bursts = {1: texts(received), 2: (text("sent"), text("sent")), 3: (text("sent"),)}
    found = difference(Letters, steps.format(*sent), *begin, bursts)
    assert (found and generic_diagnosis(found)) == name


def test_without_a_lane_each_message_that_may_be_missed_is_missed_alone():
    class Free(Model):
        def receive(self, client, text, data):
            for letter in "abc":
                client.send(letter, may_miss=letter != "b")

    for received, is_right in (("b", True), ("ab", True), ("bc", True), ("ac", False)):
        found = difference(Free, "connect | text x", ACCEPTED, {1: texts(received)})
        assert (found is None) == is_right


class Open(Model):
    """It may answer a binary frame, and says how often it did."""

    def connect(self, client):
        client.answers = 0
        client.accept()

    def receive(self, client, text, data):
        if text is None and self.branch():
            return
        client.answers += 1
        client.send(str(client.answers))


@pytest.mark.parametrize(
    ("received", "is_right"),
    [
        (("", "", "1"), True),
        (("1", "", "2"), True),
        (("", "1", "2"), True),
        (("1", "2", "3"), True),
        (("1", "", "1"), False),
        (("", "", "2"), False),
        (("1", "1", "2"), False),
    ],
)
def test_follows_each_way_that_an_exercise_leaves_open(received, is_right):
    bursts = [{1: texts(it)} for it in received]
    found = difference(Open, "connect | bytes 00 | bytes 00 | text a", ACCEPTED, *bursts)
    assert (found is None) == is_right


def test_a_branch_may_have_several_options():
    class Dice(Model):
        def receive(self, client, text, data):
            client.send(self.branch("123") + self.branch("ab"))

    for answer, is_right in (("1a", True), ("3b", True), ("4a", False)):
        found = difference(Dice, "connect | text x", ACCEPTED, {1: (text(answer),)})
        assert (found is None) == is_right


def test_a_model_knows_the_channels_of_the_burst_before():
    class Address(Model):
        def receive(self, client, text, data):
            client.send(text)

    steps = "connect | text {channel of 1} | text {channel of 2}"
    begin = {1: seen(ACCEPT, channel="specific.a!1")}
    for replies, is_right in ((("a!1", "{channel of 2}"), True), (("b", ""), False)):
        first = {1: seen(text(f"specific.{replies[0]}"), channel="specific.a!1")}
        found = difference(Address, steps, begin, first, {1: (text(replies[1]),)})
        assert (found is None) == is_right


class Broken(Model):
    def receive(self, client, text, data):
        client.fail("ValueError")


@pytest.mark.parametrize(
    ("kinds", "is_right"),
    [(("ValueError",), True), (("NoHandler", "ValueError"), True), (("TypeError",), False)],
)
def test_a_consumer_ends_with_an_error_of_the_class_that_the_model_names(kinds, is_right):
    client = seen(ended=True, raised=f"{kinds[0]}: no", raised_kinds=kinds)
    faults = (ClientFault(1, make_finding("exception", detail=client.raised)),)
    found = difference(Broken, "connect | text a", ACCEPTED, {1: client}, faults=faults)
    assert (found is None) == is_right


def test_a_consumer_that_goes_on_has_not_ended_with_an_error():
    found = difference(Broken, "connect | text a", ACCEPTED)
    assert found.missing == {"type": "raised", "error": "ValueError"}


def test_compares_the_answer_of_a_step():
    class Reader(Model):
        def other(self, step):
            return Answer([{"id": 1}])

    assert difference(Reader, "rows a.B", answers=[[{"id": 1}]]) is None
    found = difference(Reader, "rows a.B", answers=[[{"id": True}]])
    assert detail_of(found) == "expected: [{'id': 1}]\nThe answer of `rows a.B`: [{'id': True}]"


def test_what_a_model_finds_besides_the_messages_is_a_fault():
    class Lean(Echo):
        def fault_in(self, burst, report):
            return (1, "needless-thread-hop", "why") if burst.thread_jobs else None

        def fault_at_end(self, burst):
            return (None, "wrong-layer", "") if burst.layers else None

    steps = "connect | text a", ACCEPTED, {1: (text("a"),)}
    found = difference(Lean, *steps, thread_jobs=1, layers=("default",))
    assert (found.burst, found.client, found.fault.detail) == (1, 1, "why")
    assert difference(Lean, *steps, layers=("default",)).fault.diagnosis == "wrong-layer"
    assert difference(Lean, *steps) is None


def piece(body, more=True):
    return {"type": "http.response.body", "body": body, "more_body": more}


class Streamed(Model):
    def request(self, client, body):
        right = [(0.0, piece(b"ab")), (1.0, piece(b"c", False))]
        client.expect(Stream(right, lambda it: [(at, one) for at, m in it for one in m["body"]]))


@pytest.mark.parametrize(
    ("first", "second", "is_right"),
    [
        ([piece(b"ab")], [(1.0, piece(b"c"))], True),
        ([piece(b"a"), piece(b""), piece(b"b")], [(1.0, piece(b"c"))], True),
        ([piece(b"a")], [(1.0, piece(b"bc"))], False),
        ([piece(b"ab")], [(1.5, piece(b"c"))], False),
        ([piece(b"abc")], [], False),
        ([piece(b"ab")], [], False),
    ],
)
def test_a_response_may_be_cut_into_any_pieces(first, second, is_right):
    steps = "POST 1 ... | piece 2 | wait 2"
    found = difference(Streamed, steps, {}, {1: (*first,)}, {1: (*second,)})
    assert (found is None) == is_right


def test_an_expected_message_may_be_any_that_its_function_matches():
    class Any(Model):
        def receive(self, client, text, data):
            client.expect(Expected(CLOSE, lambda message, wanted: message["type"] != "a"))

    assert difference(Any, "connect | text a", ACCEPTED, {1: (text("b"),)}) is None
