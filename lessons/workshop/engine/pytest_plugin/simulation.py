"""The simulated world of one test: a server with the project's application, and its clients.

A test is a plain function. Between two of its lines nothing happens: each action of a client is
handled to its end, and time passes only in run(). Whatever Daphne would refuse, and whatever a
consumer leaves behind, raises a ConsumerFault.
"""

import asyncio
import gc
import json as json_module
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace

from django.conf import settings
from django.test import Client as Browser
from django.utils.encoding import force_str

from ..faults.connection import fault_of_error
from ..faults.finding import make_finding
from ..recording.transcript import render
from ..scheduling.loop import SimulatedLoop, maybe_suspend
from ..script.steps import Step
from ..world.client import CLIENT_PORT, WebSocketClient
from ..world.daphne_rules import State
from ..world.leftovers import Leftovers, forgotten_coroutines
from .choices import NATURAL, Choices, Decisions
from .report import ConsumerFault, shortened
from .source import ProjectSource
from .surroundings import project_surroundings

TEST_HOST = "testserver"  # which Django allows in tests
# As ORIGIN_LINES in leftovers.py, but a project makes coroutines through more functions.
ORIGIN_LINES = 10


class World:
    """The server, its clock and its clients. Within `with`, the project's code lives in it."""

    def __init__(self, application, uses_database=False, decisions: Decisions = NATURAL):
        self.clients: list[WorldClient] = []
        self.steps: list[Step] = []
        self.choices = Choices(decisions)
        self._application = application
        self._loop = SimulatedLoop(decisions.seed)
        self._runner = asyncio.Runner(loop_factory=lambda: self._loop)
        self._uses_database = uses_database
        self._source = ProjectSource(application)
        self._leftovers = Leftovers(self._source)
        self._unseen: list[BaseException] = []  # of tasks and timers that no code refers to
        self._burst: list[Step] | None = None
        self._has_finished = False
        self._stack = ExitStack()

        def served(step: Step) -> WebSocketClient:
            return self.clients[step.client - 1]._served

        # What the steps of clients need of a player.
        self._player = SimpleNamespace(client_of=served, open_client=served, setup={})

    def __enter__(self):
        __tracebackhide__ = True
        enter = self._stack.enter_context
        self._threads = {*threading.enumerate()}
        enter(project_surroundings(self._loop, self._uses_database))
        enter(forgotten_coroutines(self._leftovers.note_coroutine, ORIGIN_LINES))
        self._loop.set_exception_handler(self._note_unseen)
        return self

    def __exit__(self, kind, error, trace):
        try:
            if not self._loop.is_closed():
                self._end()
        finally:
            self._stack.close()

    # What a test does

    def connect(self, path: str, *, user=None, browser=None, headers=(), subprotocols=()):
        """A client that opens a WebSocket at this path, and has received its answer.

        `user` is logged in. `browser` is a client of django.test, whose cookies are sent.
        """
        __tracebackhide__ = True
        given = {force_str(name).lower(): force_str(it) for name, it in dict(headers).items()}
        if user is not None and user.is_anonymous:
            user = None
        if user is not None:
            browser = Browser()
            browser.force_login(user)
        if browser is not None:
            pairs = (f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
            given.setdefault("cookie", "; ".join(pairs))
        # A check of the origin may know only the hosts of the settings, without that of the tests.
        hosts = [it.lstrip(".") for it in settings.ALLOWED_HOSTS if it not in ("*", TEST_HOST)]
        host = next(iter(hosts), TEST_HOST)
        sent = {"host": host, "origin": f"http://{host}", **given}
        path_only, _, query = path.partition("?")
        arguments = {"path": path_only, **({"query": query} if query else {})}
        if user is not None:
            arguments["as"] = user.get_username()
        if subprotocols:
            arguments["subprotocols"] = [*subprotocols]
        client = WorldClient(self, len(self.clients) + 1, path, sent, subprotocols)
        self.clients.append(client)
        self._take(Step("connect", arguments, client.number))
        return client

    def run(self, seconds: float = 0) -> None:
        """Let so many seconds pass on the world's clock."""
        __tracebackhide__ = True
        step = Step("wait", {"seconds": float(seconds)})
        self.steps += [step] if seconds else []
        self._play(asyncio.sleep, seconds)

    def call(self, function, *args):
        """Await an async function of the project, outside its consumers. Returns its result."""
        __tracebackhide__ = True
        return self._play(function, *args)

    @contextmanager
    def together(self):
        """What clients do in it happens at the same time: only each client's own order is kept."""
        __tracebackhide__ = True
        if self._burst is not None:
            raise RuntimeError("together() is within another together()")
        self._burst = []
        try:
            yield
            burst, taken = self._burst, []
            if not self.choices.is_natural:
                burst = self.choices.merged(burst, lambda step: step.client)
        finally:
            self._burst = None

        async def act():
            for step in burst:
                taken.append(replace(step, together=bool(taken)))
                await step.take(self._player)
                await maybe_suspend()

        try:
            self._play(act)
        finally:
            self.steps += taken

    def moves(self, *actions: Callable[[], object], most: int = 12) -> None:
        """Take up to `most` of these actions: which, and in which order, a conversation chooses.

        An action is a function without arguments. Some are taken at the same time as the one
        before. Without the mark `explore`, each is taken once. A client that has left takes none.
        """
        __tracebackhide__ = True
        if self.choices.is_natural:
            chosen = [[action] for action in actions]
        else:
            chosen = []
            while sum(map(len, chosen)) < most and (number := self.choices.below(len(actions) + 1)):
                if self.choices.below(2) and chosen:  # together with the one before
                    chosen[-1].append(actions[number - 1])
                else:
                    chosen.append([actions[number - 1]])
        for burst in chosen:
            with ExitStack() as stack:
                if len(burst) > 1:
                    stack.enter_context(self.together())
                for action in burst:
                    with suppress(NotConnected):
                        action()

    def choice(self, items: Sequence):
        """One of these items: the first one, or with the mark `explore` any of them."""
        return self.choices.choice(items)

    @property
    def seconds(self) -> float:
        """Seconds on the world's clock since the test began."""
        return self._loop.elapsed()

    @property
    def conversation(self) -> str:
        """The steps so far, as the course writes them: `connect /ws/ | text hello`."""
        return " | ".join(map(str, self.steps))

    @property
    def transcript(self) -> str:
        """The events so far, as the course writes them."""
        events = (event for it in self.clients for event in it._served.transcript)
        return render(sorted(events, key=lambda event: event.time), waits=True)

    def finish(self) -> None:
        """Let all clients leave, and raise a ConsumerFault for what the project leaves behind.

        The plugin calls it after a test that is green so far.
        """
        __tracebackhide__ = True
        if self._has_finished:
            return
        self._has_finished = True
        self._play(self._leave)
        self._play(self._wait_for_the_rest)
        self._end()
        self._leftovers.find_threads(self._threads)
        gc.collect(1)  # a coroutine that was never awaited may be in a reference cycle
        for finding in self._leftovers.findings:
            raise ConsumerFault(finding)

    # How it is done

    def _take(self, step: Step) -> None:
        __tracebackhide__ = True
        if self._burst is not None:
            self._burst.append(step)
            return
        self.steps.append(step)
        self._play(step.take, self._player)

    def _settle(self) -> None:
        """Let the project handle what the test itself has sent, such as through a layer."""
        __tracebackhide__ = True
        has_news = self._loop._ready or not self._loop.has_no_work()
        if has_news and self._burst is None:
            self._play(asyncio.sleep, 0)

    def _play(self, function, *args):
        """Await `function(*args)`, then let the project handle all that follows, and judge it."""
        __tracebackhide__ = True
        played = self._played(function, *args)
        fault, result, error = self._loop.run_until_complete(played)
        if error:
            raise error
        if fault:
            raise fault from fault.__cause__
        return result

    async def _played(self, function, *args):
        result = error = None
        try:
            result = await function(*args)
        except Exception as raised:
            error = raised
        await self._loop.wait_until_idle()
        for client in self.clients:
            if fault := await client._fault():
                return fault, result, error
        findings = [*self._loop.blocking_calls, *self._leftovers.findings]
        if self._unseen and self.clients:
            seen = self.clients[0]._served
            findings += [fault_of_error(seen, it, unknown="task-died") for it in self._unseen]
        self._unseen.clear()
        self._loop.blocking_calls.clear()
        self._leftovers.findings.clear()
        return (ConsumerFault(findings[0]) if findings else None), result, error

    async def _leave(self) -> None:
        for client in self.clients:
            client._served.begin_disconnect(1001)

    async def _wait_for_the_rest(self) -> None:
        for task in self._loop.other_tasks():
            place = self._source.place_of_task(task)
            self._leftovers.findings.append(make_finding("task-left-behind", place))
        await self._leftovers.wait_for_jobs(reports=True)
        await self._leftovers.wait_for_timers()

    def _end(self) -> None:
        """End all that runs, as asyncio.run() does."""
        self._runner.run(self._cancel())
        self._runner.close()

    async def _cancel(self) -> None:
        for client in self.clients:
            await client._served.cancel_application()

    def _note_unseen(self, loop, context: dict) -> None:
        """In place of a line in the log: an exception that no code awaits."""
        if error := context.get("exception"):
            self._unseen.append(error)


class WorldClient:
    """One client of the world. What it does is handled before the next line of the test runs."""

    def __init__(self, world: World, number: int, path: str, headers: dict, subprotocols):
        self.world = world
        self.number = number
        self._path = path
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        port = CLIENT_PORT + number - 1
        application = world._application
        self._served = WebSocketClient(application, path, pairs, [*subprotocols], port)
        self._served.source = ProjectSource(application)

    def __repr__(self):
        return f"<client {self.number} of {self._path}>"

    def send(self, text: str | None = None, *, bytes: bytes | None = None, json=None) -> None:
        """Send one frame: a text, bytes, or a value as JSON."""
        __tracebackhide__ = True
        if json is not None:
            text = json_module.dumps(json)
        if bytes is not None:
            self._take("bytes", hex=bytes.hex())
        elif isinstance(text, str):
            self._take("text", text=text)
        else:
            raise TypeError(
                f"Write send('…'), send(bytes=b'…') or send(json=…), not send({text!r})"
            )

    def leave(self, code: int | None = 1001) -> None:
        """Close the connection, as a browser does that opens another page."""
        __tracebackhide__ = True
        self._take("close", **({} if code is None else {"code": code}))

    def vanish(self) -> None:
        """Lose the connection without a close frame: the server sees code 1006."""
        __tracebackhide__ = True
        self._take("vanish")

    def _take(self, action: str, **arguments) -> None:
        __tracebackhide__ = True
        if self.world._burst is None and not self.is_connected:
            code = self.closed
            why = "it has left" if code is None else f"the server has closed it with {code}"
            why = why if self.accepted else "the server has rejected it"
            raise NotConnected(f"Client {self.number} is not connected any more: {why}.")
        self.world._take(Step(action, arguments, self.number))

    # What the client has seen

    @property
    def is_connected(self) -> bool:
        """Whether the handshake was accepted, and neither side has closed the connection."""
        __tracebackhide__ = True
        self.world._settle()
        return self._served.rules.state is State.OPEN

    @property
    def accepted(self) -> bool:
        """Whether the consumer has accepted the handshake."""
        return any(it["type"] == "websocket.accept" for it in self.events)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the consumer has chosen."""
        accepts = (it for it in self.events if it["type"] == "websocket.accept")
        return next((it.get("subprotocol") for it in accepts), None)

    @property
    def received(self) -> list[str | bytes]:
        """The frames that the client has received: texts, and bytes."""
        frames = [it for it in self.events if it["type"] == "websocket.send"]
        return [it["bytes"] if it.get("text") is None else it["text"] for it in frames]

    @property
    def received_json(self) -> list:
        """The same, each read as JSON."""
        return [json_module.loads(frame) for frame in self.received]

    @property
    def closed(self) -> int | None:
        """The code with which the server has closed: 1006 if it rejected the handshake."""
        __tracebackhide__ = True
        self.world._settle()
        return self._served.rules.close_code

    @property
    def events(self) -> list[dict]:
        """All messages of the consumer that have reached the client."""
        __tracebackhide__ = True
        self.world._settle()
        return [message for _, message, _ in self._served.arrivals]

    # What is wrong with the consumer

    async def _fault(self) -> ConsumerFault | None:
        """What shows now; what shows at the end if the client has left. Called when all is idle."""
        served = self._served
        if served.is_judged or not served.has_begun:
            return None
        served.source.look(served)
        served.permit_obeyed()  # a rejection with a code: `closed` shows it
        errors = served.unseen_errors()  # fault_now() may read them, too
        fault = await served.fault_now()
        if not fault and errors:
            fault = fault_of_error(served, errors[0], unknown="task-died")
        if not fault and served.awaits_answer:
            fault = await served.wait_for_answer()
        if not fault and served.rules.client_left:
            fault = await served.fault_of_end()
            # A task may serve all clients of a room: it must end when the last one has left.
            is_of_all = fault and fault.diagnosis == served.rules.leftover_task
            if is_of_all and not self.world._has_finished:
                return None
        if not fault:
            return None
        served.is_judged = True
        told = ConsumerFault(fault, self.number)
        told.__cause__ = shortened(served.error or next(iter(errors), None))
        return told


class NotConnected(AssertionError):
    """A client takes a step that needs a connection, and has none."""
