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

The docstring of a method is the promise that a finding quotes: one or two sentences of the
exercise, word for word. What the method expects, or what the methods that it calls expect, was
promised there. The judge compares what the model expects with what the clients of the student's
consumer receive. A model may leave the order open, or allow several answers, where the docstring
leaves it open.

A model is one state, of several in which it can be: the judge copies it for each order of steps and
for each option of branch(). A copy has its own lists, dicts and sets, for the model and for each
client. What is in them must never change: texts, numbers, tuples, frozen dataclasses.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial, wraps
from inspect import isfunction
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Self

from ..script.report import BurstReport, ClientReport, PlayOptions, Report
from ..script.steps import Step
from .expected import Answer, Expected, Stream, is_json_of
from .tables import TABLE_STEPS, Change, Tables, are_like

MAX_ORDERS = 24  # orders of the events of one burst that are tried

# What a client can be in.
CONNECTING, OPEN, CLOSED, LEFT = "connecting", "open", "closed", "left"


class Connection(NamedTuple):
    """Names a client in all states of a model: a client with the same number may connect again."""

    number: int
    count: int


class ModelClient:
    """One client as the model sees it. A model may keep its own state in new attributes."""

    def __init__(self, model: "Model", connection: Connection, step: Step):
        self.model = model
        self.id = connection
        self.number = connection.number
        self.state = CONNECTING
        self.began_with = step.action  # connect, GET or POST
        self.handshake = step.arguments
        self.may_have_code = False  # whether a rejection may have a close code
        self.error: str | None = None  # the class of the exception with which the consumer ends
        self.is_free = False  # whatever it receives from now on is right
        self.left_itself = False  # the client or the server ended it, not the consumer
        self.answers_after = step.arguments.get("answers", 0)  # seconds: it answers a close late
        self.body = b""  # of its request, as far as it has come
        self.body_is_whole = True
        self.end = ""  # the step with which it left: close, vanish, crash, kill
        # The name of its consumer's channel. Others know it from the next burst on.
        self.channel: str = model.channels_now.get(self.number, "")
        self.expected: list[Expected] = []  # what it must receive, in this burst or later

    @property
    def is_open(self) -> bool:
        """Whether it was accepted, and neither side has ended the connection."""
        return self.state == OPEN

    @property
    def has_ended(self) -> bool:
        return self.state in (CLOSED, LEFT)

    @property
    def must_stop(self) -> bool:
        """Whether its consumer must have stopped: a client may answer a close late."""
        return self.state == LEFT or (self.state == CLOSED and not self.answers_after)

    @property
    def stream(self) -> Stream | None:
        """The response that it must receive."""
        return next((item for item in self.expected if isinstance(item, Stream)), None)

    def accept(self, subprotocol: str | None = None, **when) -> None:
        """The client must be accepted. `at`, `until` and others are as in Expected."""
        message = {"type": "websocket.accept"}
        message |= {"subprotocol": subprotocol} if subprotocol else {}
        self.expect(Expected(message, **when))
        self.state = OPEN

    def reject(self, bare: bool = False, **when) -> None:
        """The handshake must be rejected: HTTP 403, whatever the close code.

        With `bare`, the close must have no code and no reason.
        """
        matches = _is_bare if bare else _has_type
        self.expect(Expected({"type": "websocket.close"}, matches, **when))
        self.state, self.may_have_code, self.answers_after = CLOSED, not bare, 0

    def send(self, text: str | None = None, data: bytes | None = None, **when) -> None:
        """The client must receive a frame, unless it is empty: Daphne sends no empty frame.

        `at`, `until` and others are as in Expected.
        """
        payload = {"text": text} if data is None else {"bytes": data}
        if text or data:
            self.expect(Expected({"type": "websocket.send", **payload}, **when))

    def send_json(self, value: Any, **when) -> None:
        """The client must receive a text frame with this JSON value, in any spelling."""
        shown = {"type": "websocket.send", "text": json.dumps(value)}
        self.expect(Expected(shown, is_json_of, **when))

    def send_any(self, shown: str, matches: Callable[[str], bool], **when) -> None:
        """The client must receive a text frame that `matches`; a finding shows `shown`."""

        def text_matches(message, wanted):
            text = message.get("text")
            return _has_type(message, wanted) and isinstance(text, str) and bool(matches(text))

        self.expect(Expected({"type": "websocket.send", "text": shown}, text_matches, **when))

    def close(self, code: int = 1000, **when) -> None:
        """The connection must be closed with this code. A client that has ended stays as it is."""
        self.expect(Expected({"type": "websocket.close", "code": code}, **when))
        if not self.has_ended:
            self.state = CLOSED
            if self.answers_after:
                self.model.after(self.answers_after, self.model._leave, self)

    def fail(self, error: str = "") -> None:
        """The consumer must end with an exception of the class `error`, or of a subclass.

        Its last messages may be missing.
        """
        self.state, self.left_itself, self.error, self.answers_after = CLOSED, True, error, 0

    def has_failed(self, seen: ClientReport | None) -> bool:
        """Whether the consumer has ended as fail() says."""
        is_expected = self.error is not None and seen is not None and bool(seen.raised)
        return is_expected and (not self.error or self.error in seen.raised_kinds)

    def expect(self, item: Expected | dict) -> None:
        """The client must receive a message: an Expected, or just the message."""
        if not self.has_ended:
            item = Expected(item) if isinstance(item, dict) else item
            item.promise = item.promise or self.model.promise
            item.step = self.model.step
            self.expected.append(item)


class Model:
    """What an exercise promises. A check.py subclasses it, and overrides the methods below.

    The class attributes say what generated conversations consist of.
    """

    handshakes: tuple[str, ...] = ("connect",)  # connect steps, or requests, without a number
    actions: tuple[str, ...] = ()  # what else a client may do: `piece 2`
    texts: tuple[str, ...] = ()  # texts that mean something here; the awkward ones are added
    others: tuple[str, ...] = ()  # steps of other processes, or of time: `wait 1`, `row …`
    inputs: ClassVar[dict[str, Sequence]] = {}  # steps with a gap → awkward values: awkward.py
    last_steps: tuple[str, ...] = ()  # of other processes, before the clients leave: `rows …`
    setups: tuple[tuple[str, ...], ...] = ((),)  # first steps: `capacity 3`, or rows
    max_clients = 3  # of a random conversation
    session = 300  # frames of the longest session of one client
    crowd = 30  # clients of the conversation that has the most
    shared = "wrong-connection"  # the diagnosis of what goes right for a client that is alone
    promise_of: ClassVar[dict[str, str]] = {}  # diagnosis → the sentences that it breaks
    points: tuple[int, ...] = (0, 1, 2, 3)  # at which a step interferes with the one before it
    slow = 3  # seconds that may pass at a point of a handler; with 0, what is promised forbids it
    long_conversations: tuple[str, ...] = ()  # they take too long for a claim
    pauses: tuple[float, float] = (61, 3601)  # seconds for which clients are idle
    clients_are_independent = True  # what one client does changes nothing for another
    database = False  # whether the exercise needs the database
    stop_timeout = 10.0  # seconds for a consumer whose client has left; Daphne's are 10
    consumers: ClassVar[dict[str, str]] = {}  # sources for `try NAME`: a student's test is judged
    judges_leftovers = True  # whether threads and forgotten awaits are faults
    allowed_faults: tuple[str, ...] = ()  # diagnoses of the engine that are no faults here
    given: tuple[str, ...] = ()  # classes that are right: no finding names their lines
    explores = True  # whether conversations are generated; False for an exercise without clients
    frames: tuple[str, ...] = ("text", "bytes")  # the kinds that clients send
    closes_once = False  # whether the exercise promises one close at most
    silent_after_disconnect = False  # whether the exercise promises to send nothing after it
    leaves = ("close", "close 1001", "close 4001", "vanish")  # how clients leave
    ends = (*leaves, "kill")  # or the server cancels their consumers; also "crash"

    def __init_subclass__(cls):
        """Let each method with a docstring note that it runs."""
        super().__init_subclass__()
        for name, method in [*vars(cls).items()]:
            if isfunction(method) and method.__doc__:
                setattr(cls, name, _quoted(method))

    def __init__(self):
        self.clients: dict[int, ModelClient] = {}  # the last one of each number
        self.by_connection: dict[Connection, ModelClient] = {}  # also the earlier ones
        self.channels_before: dict[int, str] = {}  # client → its channel, before this burst
        self.channels_now: dict[int, str] = {}  # and after it
        # Client → how many messages it had received when the step with `at` was taken.
        self.at_point: dict[int, int] = {}
        self.burst = 0  # number of the burst: steps that are in the air at the same time
        self.step: Step | None = None  # the one that is taken, or that has set a timer
        self.now = 0.0  # seconds since the first step
        self.capacity = 100  # messages that a channel holds; the step `capacity` changes it
        self.tables = Tables()  # the rows that steps have saved
        self.recent_tables = [self.tables]  # as they were during this burst, the last one now
        self.answers: list[Answer | None] = []  # what the steps of this burst must return
        self.promise = ""  # the docstring of the method that runs
        self.last_promise = ""  # and of the last one that began in this burst
        self.promise_of_end = ""  # and of the last one that a client's end has called
        self.promise_of_rows = ""  # and of the one that saved the last row
        # Time, step, method and arguments. A client stands there as its Connection.
        self._timers: list[tuple[float, Step | None, str, tuple]] = []
        self._chosen: list[int] = []  # the options that branch() has to return in this burst
        self._options: list[int] = []  # how many options each branch() of this burst had

    # What a model says

    @classmethod
    def frame_of(cls, text: str) -> str | None:
        """The text frame that carries an awkward text; None if no frame can carry it."""
        return text

    @classmethod
    def event_of(cls, text: str) -> str | None:
        """The step that carries a text of the submission and is no frame; None if there is none."""

    def connect(self, client: ModelClient) -> None:
        """The client has sent a handshake; its arguments are `client.handshake`."""
        client.accept()

    def receive(self, client: ModelClient, text: str | None, data: bytes | None) -> None:
        """The client has sent a frame: `text`, or `data` (bytes), and the other is None."""

    def receive_after_close(self, client, text, data) -> None:
        """A frame arrives after the consumer has closed. Usually nothing follows."""

    def disconnect(self, client: ModelClient) -> None:
        """The connection has ended, from either side."""

    def other(self, step: Step) -> Answer | None:
        """Another process has taken a step. Returns what its answer must be, or None."""

    def committed(self, change: Change) -> None:
        """Another process has committed a change of a row; of a transaction, one after the other.

        `self.tables` has the row already. See tables.py.
        """

    def fault_in(self, turn: BurstReport, played: Report) -> tuple[int | None, str, str] | None:
        """What is wrong in a burst besides the messages: client, diagnosis, detail; or None.

        With a client, a finding names the line of its handler.
        """

    def fault_at_end(self, turn: BurstReport) -> tuple[int | None, str, str] | None:
        """The same, for what matters only if the whole conversation has no other fault."""

    def explain(self, difference) -> str | None:
        """What a finding shows instead of the difference, or None."""

    def layer(self, client: ModelClient, message: dict) -> None:
        """Another process has sent a message to the channel of this client's consumer."""

    def request(self, client: ModelClient, body: bytes) -> None:
        """The client has sent the whole body of an HTTP request. See also Stream."""

    def request_piece(self, client: ModelClient) -> None:
        """The client has sent a piece of a body, not the last one. Usually nothing follows."""

    def before(self, burst: list[Step]) -> None:
        """These steps will be taken at the same time."""

    def orders_of(self, burst: list[Step]) -> Iterable[Sequence[Step]]:
        """The orders in which the steps may happen. That of the burst is the first."""
        return islice(_interleavings(burst), MAX_ORDERS)

    def diagnose(self, difference) -> str | None:
        """The id of the diagnosis for a Difference, if its condition was observed; else None."""

    # What a model may use

    @property
    def open_clients(self) -> list[ModelClient]:
        return [client for client in self.clients.values() if client.is_open]

    def branch(self, options: Sequence = (True, False)) -> Any:
        """One of the options, in each state of the model another: the exercise allows all.

        The judge follows all states, until what the clients receive fits only one of them.
        """
        made = len(self._options)
        self._options.append(len(options))
        return options[self._chosen[made] if made < len(self._chosen) else 0]

    def after(self, seconds: float, function: Callable, *args) -> None:
        """Call `function(*args)`, a method of the model, when so much time has passed."""
        args = tuple(it.id if isinstance(it, ModelClient) else it for it in args)
        self._timers.append((self.now + seconds, self.step, function.__name__, args))

    def save(self, table: str, **fields) -> dict:
        """The consumer must have saved this row. Returns it, with the id that it gets."""
        self.promise_of_rows = self.promise
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

    def begin_burst(self, burst: list[Step], before: dict, turn: BurstReport) -> None:
        """Begin a burst. `before` has the channels of the clients before it."""
        self.before(burst)
        self.channels_before, self.at_point = before, turn.at_point
        self.time_of_point = turn.time_of_point
        self.channels_now = {n: it.channel for n, it in turn.clients.items() if it.channel}
        self.burst += 1
        self.recent_tables = [self.tables]
        self.last_promise = ""
        for client in self.by_connection.values():
            client.error = None

    def states_after(self, burst: list[Step]) -> Iterator["Model"]:
        """The states after the burst: for each order of its steps and each option of branch()."""
        orders = [*filter(self._may_happen, self.orders_of(burst))]
        for order in orders or [burst]:  # a report may be forged
            choices: list[list[int]] = [[]]
            while choices:
                model = self._copy()
                model._wait(0)  # what was due a moment ago
                chosen = model._chosen = choices.pop()
                answers = {id(step): model._take(step) for step in order}
                model.answers = [answers[id(step)] for step in burst]
                for client in model.clients.values():
                    if client.must_stop:  # it gets websocket.disconnect
                        model._leave(client)
                yield model
                made = [*chosen, *(0 for _ in model._options[len(chosen) :])]
                for index in range(len(chosen), len(made)):
                    others = range(model._options[index] - 1, 0, -1)
                    choices += [[*made[:index], other] for other in others]

    def _may_happen(self, order: Sequence[Step]) -> bool:
        """Whether each client that had received something at the point had connected by then."""
        connected = {number for number, client in self.clients.items() if not client.has_ended}
        for step in order:
            if step.point is not None:
                return connected.issuperset(n for n, count in self.at_point.items() if count)
            connected.add(step.client)
        return True

    def _copy(self) -> Self:
        model = _copied(self)
        model._options = []
        awaited = {it for *_, args in self._timers for it in args}
        for name, client in self.by_connection.items():
            # Of many clients that came and left, only the last one of each number may change, and
            # those for which a timer is set.
            is_last = self.clients[client.number] is client
            if is_last or client.state != LEFT or client.expected or name in awaited:
                own = model.by_connection[name] = _copied(client)
                own.model = model
        model.clients = {client.number: client for client in model.by_connection.values()}
        return model

    def _take(self, step: Step) -> Answer | None:
        self.step = step
        client, arguments = self.clients.get(step.client), step.arguments
        if step.point is not None:  # the steps before it may have waited
            self._wait(max(0, self.time_of_point - self.now))
        if step.client is None:
            return self._take_as_other(step)
        if step.action == "wait":
            self._wait(arguments["seconds"])
        elif step.kind.begins:
            self._begin(step)
        elif client is not None and client.state != LEFT:
            self._take_as_client(client, step)
        return None

    def _take_as_other(self, step: Step) -> Answer | None:
        answer = None
        if step.action in TABLE_STEPS:
            rows, changes = self._changed_tables().take(step)
            is_right = partial(are_like, rows) if step.action == "rows" else None
            answer = None if rows is None else Answer(rows, is_right)
            for change in changes:
                self.committed(change)
        return self.other(step) or answer

    def _changed_tables(self) -> Tables:
        """The tables as a new state, which may be changed."""
        self.tables = self.tables.copy()
        self.recent_tables = [*self.recent_tables, self.tables]
        return self.tables

    def _begin(self, step: Step) -> None:
        count = sum(name.number == step.client for name in self.by_connection)
        client = ModelClient(self, Connection(step.client, count), step)
        self.clients[client.number] = self.by_connection[client.id] = client
        if step.action == "connect":
            self.connect(client)
        else:
            client.state = OPEN
            pieces = "".join(step.arguments.get("pieces", ()))
            self._receive_piece(client, step.arguments.get("body", pieces), step)

    def _take_as_client(self, client: ModelClient, step: Step) -> None:
        arguments = step.arguments
        match step.action:
            case "text" | "bytes":
                data = bytes.fromhex(arguments["hex"]) if step.action == "bytes" else None
                receive = self.receive if client.is_open else self.receive_after_close
                receive(client, arguments.get("text"), data)
            case "close" | "vanish" | "crash" | "kill":
                if step.action == "crash" and client.is_open:  # it may catch, close and raise
                    close = {"type": "websocket.close"}
                    client.expect(Expected(close, _has_type, may_miss=True))
                client.left_itself, client.end = True, step.action
                self._leave(client)
            case "piece" if client.is_open and not client.body_is_whole:
                self._receive_piece(client, arguments["piece"], step)
            case "layer" if client.is_open:
                # Others know only a name that its consumer's channel had before this burst.
                if self.channels_before.get(client.number) == client.channel:
                    self.layer(client, arguments["message"])

    def _receive_piece(self, client: ModelClient, piece: str, step: Step) -> None:
        client.body += piece.encode()
        client.body_is_whole = not step.arguments.get("unfinished")
        if client.body_is_whole:
            self.request(client, client.body)
        else:
            self.request_piece(client)

    def _leave(self, client: ModelClient) -> None:
        if client.state != LEFT:
            client.state = LEFT
            if not client.left_itself:  # otherwise some of it may have come before
                client.expected = [it for it in client.expected if it.until is None]
            before, self.last_promise = self.last_promise, ""
            self.disconnect(client)
            self.promise_of_end = self.last_promise
            self.last_promise = self.last_promise or before

    def states_at(self, turn: BurstReport) -> Iterator["Model"]:
        """The states at the end of the burst, if the steps have taken until then.

        Of what was due since then, the last things may happen a moment later: consumers may be
        slow. If a handler was held, only its own client may be late, unless clients depend on each
        other.
        """
        now, held = turn.time, {client for client, *_ in turn.held}
        slow = held if self.clients_are_independent else ()
        slower = []
        for time in sorted({time for time, *_ in self._timers if self.now < time <= now}):
            slower.append(self._copy())
            self._wait(time - self.now)
        self._wait(max(0, now - self.now))
        yield self
        for model in reversed(slower):
            if slow:
                model._wait(now - model.now, besides=slow)
            model.now = now
            yield model

    def _wait(self, seconds: float, besides: Collection[int] = ()) -> None:
        """Let time pass, and call what is due; not for the clients with these numbers."""
        end, timers = self.now + seconds, self._timers
        while due := [it for it in timers if it[0] <= end + 1e-6 and not _is_of(it, besides)]:
            timer = min(due, key=lambda timer: timer[0])
            self._timers.remove(timer)
            self.now, self.step, name, args = timer
            clients = (self.by_connection[it] if isinstance(it, Connection) else it for it in args)
            getattr(self, name)(*clients)
        self.now = end


# What a burst has led to, what it began with, and what is the same in all states.
_NOT_STATE = {
    *("answers", "recent_tables", "at_point", "time_of_point", "channels_before", "channels_now"),
    *("step", "model", "handshake", "clients", "_chosen", "_options"),
    *("promise", "last_promise", "promise_of_end", "promise_of_rows"),
}


def distinct(models: Iterable[Model]) -> list[Model]:
    """The models without those that are in the same state as one before, after a burst."""
    models = [*models]
    if len(models) < 2:
        return models
    return [*{_as_value(model): model for model in reversed(models)}.values()][::-1]


def _as_value(thing):
    """`thing` in a form that can be compared, and that is the same for equal states."""
    match thing:
        case list():
            return tuple(map(_as_value, thing))
        case dict():
            return frozenset((name, _as_value(item)) for name, item in thing.items())
        case set():
            return frozenset(thing)
        case ModelClient() if thing.state == LEFT and not thing.expected:
            return None  # nothing follows from it
        case Model() | ModelClient():
            state = {name: it for name, it in vars(thing).items() if name not in _NOT_STATE}
            return _as_value(state)
        case Tables():
            return thing.as_text
    return thing


def _quoted(method: Callable) -> Callable:
    """The method of a model, with its docstring as the promise while it runs."""
    promise = " ".join(method.__doc__.split())

    @wraps(method)
    def quoted(model, *args, **kwargs):
        before, model.promise = model.promise, promise
        model.last_promise = promise
        try:
            return method(model, *args, **kwargs)
        finally:
            model.promise = before

    return quoted


def _copied(original):
    """A copy with its own lists, dicts and sets."""
    copy = object.__new__(type(original))
    copy.__dict__ = {
        name: value.copy() if isinstance(value, _CONTAINERS) else value
        for name, value in vars(original).items()
    }
    return copy


_CONTAINERS = list, dict, set


def _interleavings(burst: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """The orders of these steps in which each sender's own steps stay in order.

    Senders are the clients, each process that calls a function, all other processes as one, and
    the layer for each client's channel. A consumer takes events from the client and from the layer,
    and may take either first.
    """
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


def _is_of(timer: tuple, numbers: Collection[int]) -> bool:
    """Whether a timer is about a client with one of these numbers."""
    return any(isinstance(it, Connection) and it.number in numbers for it in timer[3])


def _has_type(message: dict, wanted: dict) -> bool:
    return message.get("type") == wanted["type"]


def _is_bare(message: dict, wanted: dict) -> bool:
    """Whether the message is nothing but its type."""
    return _has_type(message, wanted) and all(message[key] is None for key in {*message} - {"type"})
