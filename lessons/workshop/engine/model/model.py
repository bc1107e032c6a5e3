"""A model: what an exercise promises, as a small state machine that a check.py writes.

A model reads like the exercise's docstring. It says what each step must lead to, for all clients:

    class Game(Model):
        def connect(self, client):
            client.tries = 3
            client.accept()

        def receive(self, client, text, data):
            "Any other frame gets `Wrong.`. The third wrong guess also ends the game"
            client.tries -= 1
            client.send("Wrong.")
            if not client.tries:
                client.close(4000)

The docstring of a method is the promise that a finding quotes, in the words of the exercise. The
judge compares what the model expects with what the clients of the student's consumer receive. A
model may leave the order open, or allow several answers, where the docstring leaves it open.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy, deepcopy
from functools import partial
from itertools import islice, zip_longest
from typing import Any, ClassVar

from lessons.workshop.engine.model.tables import TABLE_STEPS, Change, Tables, are_like
from lessons.workshop.engine.recording.transcript import normalize
from lessons.workshop.engine.script.report import BurstReport, PlayOptions, Report
from lessons.workshop.engine.script.steps import Step
from lessons.workshop.engine.world.daphne_rules import unknown_keys

MAX_ORDERS = 24  # orders of the events of one burst that are tried

ANY_TIME = math.inf  # a message that may come now, later, or not at all

# What a client can be in.
CONNECTING, OPEN, CLOSED, LEFT = "connecting", "open", "closed", "left"


class Expected:
    """One message that a client must receive.

    `message` is what a finding shows. `matches` may allow other messages. `at` is the time in
    seconds at which it must arrive, or None. `until` is the time until which it may arrive, or
    `ANY_TIME`: such a message may come in any later turn, and in any order among its kind. With
    `in_order`, it comes after all others with `in_order` that were expected before it. The messages
    of one `lane` must come in their order, but in any order among those of other lanes: the layer's
    messages from one sender, for example. A message that a client `may_miss` may be missing, unless
    one before it in its lane has come.
    """

    def __init__(
        self,
        message: dict,
        matches=None,
        at: float | None = None,
        until: float | None = None,
        in_order: bool = False,
        lane: object = None,
        may_miss: bool = False,
    ):
        self.message = message
        self.lane = lane
        self.may_miss = may_miss
        self.at = at
        self.until = until
        self.in_order = in_order
        self._matches = matches

    def __repr__(self):
        return f"Expected({self.message!r})"

    def __deepcopy__(self, memo):
        return self  # it never changes

    def due_at(self, time: float) -> "Expected":
        """The same, to be received by that time."""
        due = copy(self)
        due.until = min(self.until, time)
        return due

    def accepts(self, message: dict) -> bool:
        """Whether a client may receive `message` here."""
        if self._matches is not None:
            return bool(self._matches(message))
        unknown = unknown_keys(message)
        known = {key: value for key, value in message.items() if key not in unknown}
        return normalize(self.message) == normalize(known)


class OneOf:
    """Several sequences of messages, of which a client must receive one."""

    def __init__(self, *sequences: list):
        self.sequences = sequences


class InAnyOrder:
    """Messages that a client must receive in any order."""

    def __init__(self, messages: list):
        self.messages = messages


class Answer:
    """What the answer of a step such as `take` must be. `shown` is what a finding shows."""

    def __init__(self, shown: Any, matches: Callable[[Any], bool] | None = None):
        self.shown = shown
        self._matches = matches

    def accepts(self, answer) -> bool:
        if self._matches is not None:
            return bool(self._matches(answer))
        return _typed(self.shown) == _typed(answer)


class Answers(Answer):
    """A list as an answer, such as that of `take-all`: each item must be as its Answer says."""

    def __init__(self, items: list[Answer]):
        super().__init__([item.shown for item in items])
        self._items = items

    def accepts(self, answer) -> bool:
        return isinstance(answer, list) and self.first_difference(answer) is None

    def first_difference(self, answer: list) -> tuple[Answer, Any] | None:
        """The first item that differs: what it must be, and what it is. A missing one is None."""
        none = Answer(None)
        pairs = zip_longest(self._items, answer)
        return next(((it or none, own) for it, own in pairs if not (it or none).accepts(own)), None)


class Stream:
    """A response whose pieces may be cut as the consumer likes: it is judged as a whole.

    `right` is one right response, as (time, message) pairs. `read` makes a list of (time, value)
    pairs of such pairs: what the pieces mean. For what it cannot read, it returns None or raises.
    """

    def __init__(self, right: list[tuple[float, dict]], read: Callable[[list], list | None]):
        self.right = right
        self.read = read
        self.received: list[tuple[float, dict]] = []  # so far, with those of this burst
        self.before = 0  # how many of `received` came before this burst
        self.shown = 0  # how many of `right` were due before this burst

    def begin_turn(self, now: float) -> None:
        self.before = len(self.received)
        self.shown = sum(time <= now for time, _ in self.right)

    def accepts(self, received: Sequence, now: float, tolerance: float, may_end: bool) -> bool:
        """Whether all has come that was due, and each at its time. With `may_end` some may lack."""
        self.received = [*self.received[: self.before], *received]
        wanted, found = self.wanted, self.found
        if found is None or len(found) > len(wanted):
            return False
        begun = self.right[0][0]
        due = sum(time < now - tolerance or time == begun for time, _ in wanted)
        return (may_end or len(found) >= due) and all(
            value == own and abs(time - at) <= tolerance
            for (time, value), (at, own) in zip(wanted, found, strict=False)
        )

    @property
    def wanted(self) -> list[tuple[float, Any]]:
        """What the right response means."""
        return self.read(self.right)

    @property
    def found(self) -> list[tuple[float, Any]] | None:
        """What the client has received so far means; None if it cannot be read."""
        try:
            return self.read(self.received)
        except (ValueError, TypeError, LookupError, AttributeError):
            return None

    def due(self, now: float) -> list[dict]:
        """The messages of the right response that were due in this burst."""
        return [message for time, message in self.right[self.shown :] if time <= now + 1e-6]


class ModelClient:
    """One client as the model sees it. A model may keep its own state in new attributes."""

    def __init__(self, number: int, step: Step, model: "Model"):
        self.number = number
        self.model = model
        self.state = CONNECTING
        self.began_with = step.action  # connect, GET or POST
        self.handshake = step.arguments
        self.may_raise = False  # whether an exception may take the place of the close
        self.may_have_code = False  # whether a rejection may have a close code
        self.is_free = False  # whatever it receives from now on is right
        self.left_itself = False  # the client or the server ended it, not the consumer
        self.stream: Stream | None = None  # a response that it must receive
        self.body = b""  # of its request, as far as it has come
        self.body_is_whole = True
        self.end = ""  # the step with which it left: close, vanish, crash, kill
        # The name of its consumer's channel. Others know it from the next burst on.
        self.channel: str = model.channels_now.get(number, "")
        # How many messages it had received in this burst when the step with `at` was taken.
        self.received_before = 0
        self.allowed_error = ""
        self.required_error = ""
        self.expected: list = []  # what it must receive in this burst
        self.later: list[Expected] = []  # what it must receive some time

    @property
    def is_open(self) -> bool:
        """Whether it was accepted, and neither side has ended the connection."""
        return self.state == OPEN

    @property
    def has_ended(self) -> bool:
        return self.state in (CLOSED, LEFT)

    def accept(self, subprotocol: str | None = None) -> None:
        """The client must be accepted."""
        message = {"type": "websocket.accept"}
        self.expect(message | ({"subprotocol": subprotocol} if subprotocol else {}))
        self.state = OPEN

    def reject(self, may_raise: bool = False, is_bare: bool = False) -> None:
        """The handshake must be rejected: HTTP 403, whatever the close code.

        With `may_raise` an exception is fine too, for which Daphne answers with HTTP 500. With
        `is_bare` a close code is a fault: the client does not see it.
        """
        close = Expected({"type": "websocket.close"}, _is_close)
        self.expect(OneOf([close], []) if may_raise else close)
        self.may_raise, self.state = may_raise, CLOSED
        self.may_have_code = not is_bare

    def refuse(self) -> None:
        """The client must not get in: it is rejected, or accepted and closed with any code."""
        close = Expected({"type": "websocket.close"}, _is_close)
        self.expect(OneOf([close], [{"type": "websocket.accept"}, close]))
        self.state = CLOSED

    def send(self, text: str | None = None, data: bytes | None = None, **when) -> None:
        """The client must receive a frame. `at` and `until` are times, as in Expected."""
        payload = {"text": text} if data is None else {"bytes": data}
        self.expect(Expected({"type": "websocket.send", **payload}, **when))

    def send_json(self, value: Any, **when) -> None:
        """The client must receive a text frame with this JSON value, in any spelling."""
        shown = {"type": "websocket.send", "text": json.dumps(value)}
        self.expect(Expected(shown, lambda message: json_of(message) == _typed(value), **when))

    def send_any(self, shown: str, matches: Callable[[str], bool], **when) -> None:
        """The client must receive a text frame that `matches`; a finding shows `shown`."""
        message = {"type": "websocket.send", "text": shown}
        self.expect(Expected(message, lambda it: _text_matches(it, matches), **when))

    def close(self, code: int = 1000) -> None:
        """The connection must be closed with this code. A client that has ended stays as it is."""
        if self.state == OPEN:
            self.expect({"type": "websocket.close", "code": code})
            self.state = CLOSED

    def now_due(self) -> None:
        """All that the client may receive some time must have been received by now."""
        self.later = [item.due_at(self.model.now) for item in self.later]

    def may_fail(self, error: str) -> None:
        """The consumer may end with an error in this burst, whose text begins with `error`."""
        self.allowed_error = error

    def must_fail(self, error: str) -> None:
        """The consumer must end with an exception of the class `error`, or of a subclass."""
        self.required_error = self.allowed_error = error

    def expect(self, item) -> None:
        """The client must receive a message (a dict), an Expected, a OneOf or an InAnyOrder."""
        item = Expected(item) if isinstance(item, dict) else item
        if self.has_ended:
            return
        if getattr(item, "until", None) is not None:
            self.later.append(item)
        else:
            self.expected.append(item)


class Model:
    """What an exercise promises. A check.py subclasses it, and overrides the methods below.

    The class attributes say what generated conversations consist of.
    """

    handshakes: tuple[str, ...] = ("connect",)  # connect steps, or requests, without a number
    actions: tuple[str, ...] = ()  # what else a client may do: `piece 2`
    texts: tuple[str, ...] = ()  # texts that mean something here; the awkward ones are added
    others: tuple[str, ...] = ()  # steps of other processes, or of time: `wait 1`, `row …`
    last_steps: tuple[str, ...] = ()  # of other processes, before the clients leave: `take-all …`
    setups: tuple[tuple[str, ...], ...] = ((),)  # first steps: `capacity 3`, or rows
    max_clients = 3
    shared: str | None = None  # the diagnosis of what goes right for a client that is alone
    points: tuple[int, ...] = (0, 1, 2, 3)  # at which a step interferes with the one before it
    # Points and a conversation: a step with `at *` acts at each of these points of a long handler,
    # and beside it. The steps behind show its effects. It can be played several times in a row.
    overlaps: tuple[tuple[Sequence[int], str], ...] = ()
    long_conversations: tuple[str, ...] = ()  # they take too long for a claim
    clients_are_independent = True  # what one client does changes nothing for another
    database = False  # whether the exercise needs the database
    stop_timeout = 10.0  # seconds for a consumer whose client has left; Daphne's are 10
    consumers: ClassVar[dict[str, str]] = {}  # sources for `try NAME`: a student's test is judged
    judges_leftovers = True  # whether threads and forgotten awaits are faults
    explores = True  # whether conversations are generated; False for an exercise without clients
    keeps_scope = False  # whether the exercise promises not to change the scope of the server
    takes_frames = True  # whether clients send frames at all
    layers: tuple[str, ...] | None = None  # aliases of the channel layers it may use; None: any
    without_threads: tuple[str, ...] = ()  # actions for which no job may be handed to a thread
    silent_after_disconnect = False  # whether the exercise promises to send nothing after it
    has_choices = False  # whether it calls either_way()
    takes_bytes = True  # whether clients send binary frames
    order_matters = True  # whether receive() and the others depend on the order in one burst
    ends = ("close", "close 1001", "vanish")  # how clients leave; also "crash" and "kill"

    def __init__(self):
        self.clients: dict[int, ModelClient] = {}
        self.channels_before: dict[int, str] = {}  # client → its channel, before this burst
        self.channels_now: dict[int, str] = {}  # and after it
        self._at_point: dict[int, int] = {}
        self.burst = 0  # number of the burst: steps that are in the air at the same time
        self.now = 0.0  # seconds since the first step
        self.capacity = 100  # messages that a channel holds; the step `capacity` changes it
        self.tables = Tables()  # the rows that steps have saved
        self.recent_tables = [self.tables]  # as they were during this burst, the last one now
        self._timers: list[tuple[float, int, Callable]] = []
        self._timers_set = 0
        self._choices: list[bool] = []  # what either_way() has returned in this burst
        self._choices_made = 0

    # What a model says

    @classmethod
    def frame_of(cls, text: str) -> str | None:
        """The text frame that carries an awkward text; None if no frame can carry it."""
        return text

    def connect(self, client: ModelClient) -> None:
        """The client has sent a handshake; its arguments are `client.handshake`."""
        client.accept()

    def receive(self, client: ModelClient, text: str | None, data: bytes | None) -> None:
        """The client has sent a frame: `text`, or `data` (bytes), and the other is None."""

    def receive_after_close(self, client, text, data) -> None:
        """A frame arrives after the consumer has closed. Usually nothing follows."""

    def disconnect(self, client: ModelClient) -> None:
        """The connection has ended, from either side."""

    def other(self, step: Step) -> Any:
        """Another process has taken a step. Returns what its answer must be, or None.

        An Answer may allow several answers. A callable is called with the answer, and says
        whether the answer is right.
        """

    def committed(self, change: Change) -> None:
        """Another process has committed a change of a row; of a transaction, one after the other.

        `self.tables` has the row already. See lessons/workshop/engine/model/tables.py.
        """

    def fault_in(self, played: Report, turn: BurstReport) -> tuple[int, str, str] | None:
        """What is wrong in this burst besides the messages: client, diagnosis, detail; or None."""

    def explain(self, difference) -> str | None:
        """What a finding shows instead of the difference, or None."""

    def layer(self, client: ModelClient, message: dict) -> None:
        """Another process has sent a message to the channel of this client's consumer."""

    def request(self, client: ModelClient, body: bytes) -> None:
        """The client has sent the whole body of an HTTP request. See also Stream."""

    def diagnose(self, difference) -> str | None:
        """The id of the diagnosis for a Difference, if its condition was observed; else None."""

    # What a model may use

    @property
    def open_clients(self) -> list[ModelClient]:
        return [client for client in self.clients.values() if client.is_open]

    def either_way(self) -> bool:
        """True in one state of the model, and False in another: the exercise allows both.

        The judge follows both, until what the clients receive fits only one of them.
        """
        self._choices_made += 1
        if self._choices_made > len(self._choices):
            self._choices.append(True)
        return self._choices[self._choices_made - 1]

    def after(self, seconds: float, function: Callable, *args) -> None:
        """Call `function(*args)` when so much time has passed in the conversation.

        `function` is a method of the model, or of an object that belongs to it.
        """
        self._timers_set += 1
        self._timers.append((self.now + seconds, self._timers_set, (function, args)))

    def save(self, table: str, **fields) -> dict:
        """The consumer must have saved this row. Returns it, with the id that it gets."""
        row = self._changed_tables().save(table, **fields)
        self.tables.forget_changes()
        return row

    # How the judge uses it

    @classmethod
    def play_options(cls, **options) -> PlayOptions:
        """How to play a conversation with this exercise."""
        return PlayOptions(
            database=cls.database,
            stop_timeout=cls.stop_timeout,
            consumers=cls.consumers,
            leftovers=cls.judges_leftovers,
            **options,
        )

    def set_up(self, steps: list[Step]) -> None:
        """Read the steps that say how to play."""
        for step in steps:
            if step.action == "capacity":
                self.capacity = step.arguments["messages"]

    def promise_of(self, step: Step) -> str:
        """The promise about this step: the docstring of the method that a model overrides."""
        names = {"text": "receive", "bytes": "receive", "connect": "connect", "wait": "wait"}
        names |= {"close": "disconnect", "vanish": "disconnect", "layer": "layer"}
        names |= dict.fromkeys(("GET", "POST", "piece"), "request")
        name = names.get(step.action, "other")
        method = getattr(type(self), name, None)
        if method is None or method is getattr(Model, name, None):
            return ""
        return " ".join((method.__doc__ or "").split())

    def orders_of(self, burst: list[Step]) -> Iterator["Model"]:
        """A copy of this model after the burst, for each order of the burst's steps.

        The steps of one sender stay in order, and the order of the burst is the first.
        """
        has_orders = len(burst) > 1 and self.order_matters
        orders = _orders(burst) if has_orders else [burst]
        for order in filter(self._may_happen, orders):
            yield from self._states_after(order, burst)

    def _may_happen(self, order: Sequence[Step]) -> bool:
        """Whether each client that had received something at the point had connected by then."""
        connected = {number for number, client in self.clients.items() if not client.has_ended}
        for step in order:
            if step.point is not None:
                return connected.issuperset(n for n, count in self._at_point.items() if count)
            connected.add(step.client)
        return True

    def _states_after(self, order: Sequence[Step], burst: list[Step]) -> Iterator["Model"]:
        """The model after the steps in this order, for each way that either_way() may go."""
        has_orders = len(burst) > 1 and self.order_matters
        choices: list[list[bool]] = [[]]
        while choices:
            model = deepcopy(self) if has_orders or self.has_choices else self
            chosen = model._choices = choices.pop()
            first_open = len(chosen)
            model._choices_made = 0
            answers = {id(step): model._take(step) for step in order}
            model.answers = [answers[id(step)] for step in burst]
            model._end_closed()
            yield model
            choices += [[*chosen[:index], False] for index in range(first_open, len(chosen))]

    def begin_turn(self, before=None, now=None, at_point=None) -> None:
        """Begin a burst. The arguments are channels_before, channels_now, and the counts."""
        self.channels_before, self.channels_now = before or {}, now or {}
        self._at_point = at_point or {}
        self.burst += 1
        self.recent_tables = [self.tables]
        for client in self.clients.values():
            client.expected = []
            client.received_before, client.allowed_error, client.required_error = 0, "", ""
            if client.stream:
                client.stream.begin_turn(self.now)

    def end_with_error(self, client: ModelClient) -> None:
        """The consumer has ended with an error that may_fail() or must_fail() allows."""
        client.required_error = ""
        client.left_itself = True
        self._leave(client)

    def _take(self, step: Step):
        if step.point is not None:
            for client in self.clients.values():
                client.received_before = self._at_point.get(client.number, 0)
        if step.client is None:
            return self._take_as_other(step)
        if step.kind.begins:
            client = self.clients[step.client] = ModelClient(step.client, step, self)
            if step.action == "connect":
                self.connect(client)
            else:
                pieces = "".join(step.arguments.get("pieces", ()))
                client.state = OPEN
                body = step.arguments.get("body", pieces)
                self._receive_piece(client, body, step.arguments.get("unfinished"))
            return None
        if step.action == "wait":
            self._wait(step.arguments["seconds"])
            return None
        client = self.clients.get(step.client)
        if client is not None and client.state != LEFT:
            self._take_as_client(client, step)
        return None

    def _take_as_other(self, step: Step):
        answer = None
        if step.action in TABLE_STEPS:
            answer, changes = self._changed_tables().take(step)
            if step.action == "rows":
                answer = Answer(answer, partial(are_like, answer))
            for change in changes:
                self.committed(change)
        own = self.other(step)
        return answer if own is None else own

    def _changed_tables(self) -> Tables:
        """The tables as a new state, which may be changed."""
        self.tables = self.tables.copy()
        self.recent_tables = [*self.recent_tables, self.tables]
        return self.tables

    def _take_as_client(self, client: ModelClient, step: Step) -> None:
        match step.action:
            case "text" | "bytes":
                text, data = step.arguments.get("text"), step.arguments.get("hex")
                data = None if data is None else bytes.fromhex(data)
                receive = self.receive if client.is_open else self.receive_after_close
                receive(client, text, data)
            case "close" | "vanish" | "crash" | "kill":
                client.left_itself, client.end = True, step.action
                self._leave(client)
            case "piece" if client.is_open and not client.body_is_whole:
                arguments = step.arguments
                self._receive_piece(client, arguments["piece"], arguments.get("unfinished"))
            case "layer" if self._has_known_channel(client):
                self.layer(client, step.arguments["message"])

    def _has_known_channel(self, client: ModelClient) -> bool:
        return client.is_open and self.channels_before.get(client.number) == client.channel

    def _receive_piece(self, client: ModelClient, piece: str, unfinished: bool) -> None:
        client.body += piece.encode()
        client.body_is_whole = not unfinished
        if client.body_is_whole:
            self.request(client, client.body)

    def _leave(self, client: ModelClient) -> None:
        if client.state != LEFT:
            client.state = LEFT
            if not client.left_itself:  # otherwise some of it may have come before
                client.later.clear()
            self.disconnect(client)

    def _end_closed(self) -> None:
        """A consumer that has closed gets websocket.disconnect."""
        for client in self.clients.values():
            if client.state == CLOSED:
                self._leave(client)

    def catch_up(self, now: float) -> None:
        """Let time pass until `now`: a consumer that is slow to end has held up the next step."""
        if now > self.now:
            self._wait(now - self.now)

    def _wait(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self._timers if timer[0] <= end + 1e-6]:
            timer = min(due, key=lambda it: it[:2])
            self._timers.remove(timer)
            self.now, _, (function, args) = timer
            function(*args)
        self.now = end


def distinct(models: list[Model]) -> list[Model]:
    """The models without those that are in the same state as one before, after a burst."""
    if len(models) == 1:
        return models
    return list({repr(_state_of(model)): model for model in reversed(models)}.values())[::-1]


# What a burst has led to, and the next does not need.
_OF_BURST = {"answers", "expected", "model", "recent_tables", "_choices", "_choices_made"}


def _state_of(value):
    """`value` as something that has the same repr() if and only if the state is the same."""
    if isinstance(value, str | int | float | bytes | None):
        return value
    if isinstance(value, dict):
        return [(key, _state_of(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_state_of(item) for item in value]
    if isinstance(value, Model | ModelClient | Tables):
        own = vars(value)
        return [(name, _state_of(own[name])) for name in own if name not in _OF_BURST]
    return id(value)  # no copy of it counts as the same


def _orders(burst: list[Step]) -> list[tuple[Step, ...]]:
    """The orders in which the steps of a burst may happen: each sender's own steps stay in order.

    Senders are the clients, each process that calls a function, all other processes as one, and
    the layer for each client's channel. A consumer takes events from the client and from the layer,
    and may take either first. At most MAX_ORDERS orders are found.
    """
    return [*islice(_interleavings(burst), MAX_ORDERS)]


def _interleavings(burst: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    if not burst:
        yield ()
    senders = set()
    for index, step in enumerate(burst):
        # Each call of a function is made by another process.
        sender = id(step) if step.action == "call" else (step.client, step.action == "layer")
        if sender not in senders:
            senders.add(sender)
            for others in _interleavings([*burst[:index], *burst[index + 1 :]]):
                yield (step, *others)


def json_of(message: dict):
    """The JSON value of a text frame, in a form in which 1 is not True; None if it is not JSON."""
    try:
        message["text"].encode()  # raises for a lone surrogate, which no frame can hold
        return _typed(json.loads(message["text"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _typed(value):
    """`value` in a form in which 1, 1.0 and True are not equal."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return type(value).__name__, value


def _is_close(message: dict) -> bool:
    return message.get("type") == "websocket.close"


def _text_matches(message: dict, matches) -> bool:
    text = message.get("text")
    return message.get("type") == "websocket.send" and isinstance(text, str) and matches(text)
