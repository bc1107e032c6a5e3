"""A model says what each client must receive; a difference is what it does not allow."""

from dataclasses import replace

import pytest

from lessons.workshop.engine.faults.finding import Place, make_finding
from lessons.workshop.engine.model.model import Expected, InAnyOrder, Model, OneOf, Stream
from lessons.workshop.engine.model.model_difference import (
    detail_of,
    find_difference,
    generic_diagnosis,
)
from lessons.workshop.engine.script.report import BurstReport, ClientFault, ClientReport, Report
from lessons.workshop.engine.script.steps import bursts_of
from lessons.workshop.judge.claims import parse_conversation

ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}


def text(content):
    return {"type": "websocket.send", "text": content}


def seen(*messages, ended=False):
    """What one client has seen; a message is a dict or a pair (time, dict)."""
    received = tuple(it if isinstance(it, tuple) else (0.0, it) for it in messages)
    none = tuple(None for _ in received)
    return ClientReport(received, none, False, ended, (), "no-reply", Place())


def played(conversation, *turns, answers=None):
    """A conversation in which the clients have seen `turns`: a dict by client for each burst."""
    bursts = bursts_of(parse_conversation(conversation))
    found = []
    for number, burst in enumerate(bursts):
        given = turns[number] if number < len(turns) else {}
        # All clients leave at the end, and their consumers stop.
        ended = {step.client for step in burst if step.action == "close"}
        clients = {n: seen(*it) if isinstance(it, tuple) else it for n, it in given.items()}
        clients |= {n: seen(ended=True) for n in ended if n not in clients}
        answer = (answers or {}).get(number)
        found.append(BurstReport((), clients, (answer,) * len(burst), (), 0.0, 0))
    return Report(tuple(found))


def difference(model, conversation, *turns, answers=None):
    steps = parse_conversation(conversation)
    return find_difference(model(), steps, played(conversation, *turns, answers=answers))


class Echo(Model):
    def receive(self, client, text, data):
        """Each text comes back"""
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
    found = difference(Echo, "connect | text a", {1: (ACCEPT,)}, {1: received})
    assert (found and generic_diagnosis(found)) == name
    if found:
        assert (found.client, found.burst, str(found.step)) == (1, 1, "text a")


def test_names_a_key_that_daphne_ignores():
    class Chosen(Model):
        def connect(self, client):
            client.accept("chat")

    wrong = {**ACCEPT, "subprotocols": ["chat"]}
    found = difference(Chosen, "connect", {1: (wrong,)})
    assert "does not know the key 'subprotocols' of websocket.accept" in detail_of(found)


def test_reports_a_consumer_that_did_not_stop():
    found = difference(Echo, "connect | close", {1: (ACCEPT,)}, {1: ()})
    assert found.fault.diagnosis == "no-stop-consumer"


def test_reports_a_fault_of_the_server_before_any_difference():
    conversation = played("connect | text a", {1: (ACCEPT,)}, {1: (text("b"),)})
    turn = conversation.bursts[1]
    fault = type("Fault", (), {"client": 1, "finding": make_finding("exception")})()
    turns = (conversation.bursts[0], BurstReport((), turn.clients, (None,), (fault,), 0.0, 0))
    steps = parse_conversation("connect | text a")
    found = find_difference(Echo(), steps, Report(turns))
    assert found.fault.diagnosis == "exception"
    assert generic_diagnosis(found) == "exception"


def test_a_client_that_leaves_may_miss_the_answers_of_the_same_burst():
    for received in ((), (text("a"),)):
        turns = {1: (ACCEPT,)}, {1: seen(*received, ended=True)}
        assert difference(Echo, "connect | text a | & close", *turns) is None


class Relay(Model):
    def receive(self, client, text, data):
        for one in self.open_clients:
            one.send(text)


def test_events_in_the_air_may_happen_in_any_order():
    conversation = "connect | 2 connect | text a | & 2 text b"
    begin = {1: (ACCEPT,)}, {2: (ACCEPT,)}
    for both in ((text("a"), text("b")), (text("b"), text("a"))):
        assert difference(Relay, conversation, *begin, {1: both, 2: both}) is None
    mixed = {1: (text("a"), text("b")), 2: (text("b"), text("a"))}
    assert difference(Relay, conversation, *begin, mixed) is not None


def test_the_frames_of_one_client_stay_in_order():
    conversation = "connect | text a | & text b"
    found = difference(Relay, conversation, {1: (ACCEPT,)}, {1: (text("b"), text("a"))})
    assert found is not None


class Refusing(Model):
    def connect(self, client):
        client.refuse()


def test_refused_is_rejected_or_accepted_and_closed():
    for received in ((CLOSE,), (ACCEPT, {**CLOSE, "code": 4001})):
        assert difference(Refusing, "connect", {1: seen(*received, ended=True)}) is None
    assert difference(Refusing, "connect", {1: (ACCEPT,)}) is not None


class Clock(Model):
    def connect(self, client):
        client.accept()
        self.after(1, self.tick, client.number)

    def tick(self, number):
        self.clients[number].send("1", at=self.now)


def test_compares_times():
    right = {1: ((1.0, text("1")),)}
    late = {1: ((1.5, text("1")),)}
    assert difference(Clock, "connect | wait 2", {1: (ACCEPT,)}, right) is None
    found = difference(Clock, "connect | wait 2", {1: (ACCEPT,)}, late)
    assert generic_diagnosis(found) == "wrong-time"
    assert "1.5 s" in detail_of(found)


class Baker(Model):
    def receive(self, client, text, data):
        client.send("baking")
        client.send("done", until=self.now + 10)


def test_a_message_may_come_until_its_time():
    begin = {1: (ACCEPT,)}, {1: (text("baking"),)}
    conversation = "connect | text a | wait 5 | wait 5"
    for turns in ({1: (text("done"),)}, {}), ({}, {1: (text("done"),)}):
        assert difference(Baker, conversation, *begin, *turns) is None
    assert difference(Baker, conversation, *begin, {}, {}).burst == 3


class Reader(Model):
    def other(self, step):
        return [{"id": 1}]


def test_compares_the_answer_of_a_step():
    assert difference(Reader, "rows a.B", answers={0: [{"id": 1}]}) is None
    found = difference(Reader, "rows a.B", answers={0: []})
    assert (found.answer, found.expected_answer) == ([], [{"id": 1}])


def test_a_sequence_may_have_alternatives_and_any_order():
    class Free(Model):
        def receive(self, client, text, data):
            client.expect(InAnyOrder([Expected(_text("a")), Expected(_text("b"))]))
            client.expect(OneOf([], [Expected(_text("c"))]))

    _text = text
    begin = {1: (ACCEPT,)}
    for received in ("ab", "ba", "abc", "bac"):
        turn = {1: tuple(map(text, received))}
        assert difference(Free, "connect | text x", begin, turn) is None
    for received in ("a", "abb", "cab", "abcc"):
        turn = {1: tuple(map(text, received))}
        assert difference(Free, "connect | text x", begin, turn) is not None


class Open(Model):
    """It may answer a binary frame, and says how often it did."""

    has_choices = True

    def connect(self, client):
        client.answers = 0
        client.accept()

    def receive(self, client, text, data):
        if text is None and self.either_way():
            return
        client.answers += 1
        client.send(str(client.answers))


@pytest.mark.parametrize(
    ("received", "is_right"),
    [
        ([(), (), ("1",)], True),
        ([("1",), (), ("2",)], True),
        ([(), ("1",), ("2",)], True),
        ([("1",), ("2",), ("3",)], True),
        ([("1",), (), ("1",)], False),
        ([(), (), ("2",)], False),
        ([("1",), ("1",), ("2",)], False),
    ],
)
def test_follows_both_ways_that_an_exercise_leaves_open(received, is_right):
    turns = [{1: tuple(map(text, it))} for it in received]
    found = difference(Open, "connect | bytes 00 | bytes 00 | text a", {1: (ACCEPT,)}, *turns)
    assert (found is None) == is_right


class Letters(Model):
    """Each text goes to client 1, beside the writer's own receipt."""

    def receive(self, client, text, data):
        client.send("sent")
        self.clients[1].send(text, lane=client.number)


ALL = ("connect | 2 connect | 3 connect | 2 text a | & 2 text b | & 3 text c", {1: (ACCEPT,)})
ALL += ({2: (ACCEPT,)}, {3: (ACCEPT,)})
SENT = {2: (text("sent"), text("sent")), 3: (text("sent"),)}


@pytest.mark.parametrize("order", ["abc", "acb", "cab"])
def test_messages_of_several_lanes_may_come_in_any_order(order):
    received = {1: tuple(map(text, order)), **SENT}
    assert difference(Letters, *ALL, received) is None


@pytest.mark.parametrize(
    ("order", "name"), [("bac", "reply-differs"), ("ab", "no-reply"), ("abca", "reply-too-many")]
)
def test_messages_of_one_lane_come_in_order_and_all(order, name):
    found = difference(Letters, *ALL, {1: tuple(map(text, order)), **SENT})
    assert (found.client, generic_diagnosis(found)) == (1, name)


class Address(Model):
    def connect(self, client):
        client.accept()
        client.send(client.channel)

    def receive(self, client, text, data):
        client.send(f"to {text}")


def test_a_model_knows_the_channels_of_the_burst_before():
    def client(*messages):
        return replace(seen(ACCEPT, *messages), channel="specific.a!1")

    steps = "connect | text {channel of 1} | text {channel of 2}"
    replies = [{1: (text("to specific.a!1"),)}, {1: (text("to {channel of 2}"),)}]
    assert difference(Address, steps, {1: client(text("specific.a!1"))}, {}, {}).burst == 1
    assert difference(Address, steps, {1: client(text("b"))}).burst == 0
    known = {1: replace(seen(*replies[0][1]), channel="specific.a!1")}
    assert difference(Address, steps, {1: client(text("specific.a!1"))}, known, replies[1]) is None


def test_a_forgotten_await_explains_what_is_missing():
    steps = "connect | text a"
    given = played(steps, {1: (ACCEPT,)}, {1: ()})
    cause = make_finding("never-awaited")
    found = find_difference(Echo(), parse_conversation(steps), replace(given, leftovers=(cause,)))
    assert generic_diagnosis(found) == "never-awaited"


def test_a_client_that_was_accepted_at_the_point_had_connected_before_it():
    steps = parse_conversation("2 connect | connect | at 1 2 text a")
    relayed = seen(text("a"))
    for at_point, own, is_right in (
        ({1: 1}, seen(ACCEPT), False),
        ({1: 0}, seen(ACCEPT), True),
        ({1: 1}, seen(ACCEPT, text("a")), True),
    ):
        begin = BurstReport((), {2: seen(ACCEPT)}, (None,), (), 0.0, 0)
        turn = BurstReport((), {1: own, 2: relayed}, (None, None), (), 0.0, 0, (), at_point)
        ends = [BurstReport((), {n: seen(ended=True)}, (None,), (), 0.0, 0) for n in (2, 1)]
        found = find_difference(Relay(), steps, Report((begin, turn, *ends)))
        assert (found is None) == is_right


class Broken(Model):
    def receive(self, client, text, data):
        client.must_fail("ValueError")


class Full(Model):
    def receive(self, client, text, data):
        client.may_fail("ValueError")


@pytest.mark.parametrize("model", [Broken, Full])
@pytest.mark.parametrize(
    ("kinds", "is_right"),
    [(("ValueError",), True), (("NoHandler", "ValueError"), True), (("TypeError",), False)],
)
def test_a_consumer_ends_with_an_error_of_the_class_that_the_model_allows(model, kinds, is_right):
    steps = "connect | text a"
    client = replace(seen(ended=True), raised=f"{kinds[0]}: no", raised_kinds=kinds)
    given = played(steps, {1: (ACCEPT,)}, {1: client})
    fault = ClientFault(1, make_finding("exception", detail=client.raised))
    turns = (given.bursts[0], replace(given.bursts[1], faults=(fault,)), *given.bursts[2:])
    found = find_difference(model(), parse_conversation(steps), Report(turns))
    assert (found is None) == is_right


def test_a_consumer_that_goes_on_has_not_ended_with_an_error():
    found = difference(Broken, "connect | text a", {1: (ACCEPT,)}, {})
    assert found.missing == {"type": "raised", "error": "ValueError"}


def test_jobs_for_threads_are_counted_where_none_is_allowed():
    class Lean(Echo):
        without_threads = ("connect", "text")

    steps = "connect | text a | wait 1"
    given = played(steps, {1: (ACCEPT,)}, {1: (text("a"),)})
    for burst, is_right in ((1, False), (2, True)):
        turns = [*given.bursts]
        turns[burst] = replace(turns[burst], thread_jobs=1)
        found = find_difference(Lean(), parse_conversation(steps), Report(tuple(turns)))
        assert (found is None) == is_right
        assert found is None or (found.burst, found.fault.diagnosis) == (1, "needless-thread-hop")


def piece(body, more=True):
    return {"type": "http.response.body", "body": body, "more_body": more}


def letters(messages):
    """The bytes of the body, and the time at which each came."""
    return [(time, letter) for time, it in messages for letter in it["body"]]


class Streamed(Model):
    def request(self, client, body):
        client.stream = Stream([(0.0, piece(b"ab")), (1.0, piece(b"c", False))], letters)


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
    found = difference(
        Streamed, "POST 1 ... | piece 2 | wait 2", {}, {1: (*first,)}, {1: (*second,)}
    )
    assert (found is None) == is_right
