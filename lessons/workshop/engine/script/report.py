"""What a player is asked for, and what it reports: plain data, which goes through a pipe.

The player fills these records in the student's process. The parent decodes each field by its type,
then judges and models read the same records. Times are seconds since the first step.
"""

from dataclasses import dataclass, field
from typing import Any

from ..faults.finding import Finding, Place
from ..recording.events import Event
from ..scheduling.clock import ThreadSleep

MAX_EVENTS = 2000  # events of one conversation that are reported


@dataclass(frozen=True)
class PlayOptions:
    """How to play: with a database, with all events and the lines that send each message.

    With `events`, the events also say how the attributes of the consumers change.
    """

    database: bool = False
    events: bool = False
    stop_timeout: float = 10.0  # seconds for a consumer whose client has left
    # Sources of consumers on which a student's test runs, by the name in a step `try NAME`.
    consumers: dict[str, str] = field(default_factory=dict)
    leftovers: bool = True  # whether threads and forgotten awaits are looked for


DEFAULTS = PlayOptions()


@dataclass(frozen=True)
class ClientFault:
    """A fault that shows without a model: `client` is None if no single client has it."""

    client: int | None
    finding: Finding


@dataclass(frozen=True)
class CallMade:
    """One call by another process: what it called, when, and the result, as Python writes it.

    `ended` is None while it runs, and `returned` is "" then, and after an exception.
    """

    text: str
    begun: float
    ended: float | None = None
    returned: str = ""


@dataclass(frozen=True)
class ClientReport:
    """What one client saw of a burst.

    `received` holds (time, message) pairs; `sent_at` the line and handler of the student's file
    that sent each message, if the player looks for lines. `is_busy` says that a handler has not
    returned, `ended` that the application has. `too_late` holds what the consumer sent after it had
    received websocket.disconnect, and `second_closes` the places at which it closed a connection
    again; Daphne drops both. `silence` is the diagnosis for a client that waits for nothing, and
    `place` that of the last handler. `raised` is the exception with which the application ended, as
    text, and `raised_kinds` are the names of its class and of that class's bases. `scope_changes`
    are the keys of the server's scope that the application has changed. `failed_task` is the
    finding for a task that has raised. `channel` is the name of the consumer's channel, or "".
    `handled` counts the events and layer messages that have reached the consumer. `waits` says that
    the consumer waits at `place`, and has not handled the event yet.
    """

    received: tuple[tuple[float, dict], ...] = ()
    sent_at: tuple[tuple[int, str] | None, ...] = ()
    is_busy: bool = False
    ended: bool = False
    too_late: tuple[dict, ...] = ()
    second_closes: tuple[Place, ...] = ()
    silence: str = "no-reply"
    place: Place = field(default_factory=Place)
    raised: str = ""
    raised_kinds: tuple[str, ...] = ()
    scope_changes: tuple[str, ...] = ()
    failed_task: Finding | None = None
    channel: str = ""
    handled: int = 0
    waits: bool = False


@dataclass(frozen=True)
class BurstReport:
    """One burst of steps and what followed: what each client saw, the faults, and the events.

    `answers` has one item for each step: what a step such as `rows` has read, or None. `faults` are
    what Daphne would refuse, or what would harm a server. `time` is the time at the end. `points`
    counts the points at which a step with `at` could have been taken; `at_point` says how many
    messages each client had received in this burst when the step was taken, at `time_of_point`.
    `layers` are the aliases of the channel layers that were called. `sends_in_transaction` counts
    the calls of group_send() while a transaction of any thread was not committed. `thread_jobs`
    counts the jobs for threads. `held` has the client, line and handler of each consumer that
    waited when the step was taken. `calls` are the calls of functions by other processes that ran
    in this burst. `events` are (client, event) pairs, if all events were asked for.
    """

    steps: tuple[str, ...]
    clients: dict[int, ClientReport] = field(default_factory=dict)
    answers: tuple[Any, ...] = ()
    faults: tuple[ClientFault, ...] = ()
    time: float = 0.0
    points: int = 0
    layers: tuple[str, ...] = ()
    sends_in_transaction: int = 0
    at_point: dict[int, int] = field(default_factory=dict)
    time_of_point: float = 0.0
    thread_jobs: int = 0
    held: tuple[tuple[int, int, str], ...] = ()
    calls: tuple[CallMade, ...] = ()
    events: tuple[tuple[int, Event], ...] = ()


@dataclass(frozen=True)
class Report:
    """What happened in one conversation. `leftovers` are the faults that show at its end.

    `events` are the first recorded events, if they were asked for. `stuck` is the finding for a
    conversation that did not end, and then `bursts` is not complete. `unknown_step` says which step
    cannot be played, if one cannot. `output` is what the code printed, and `cut` the number of
    further characters.
    """

    bursts: tuple[BurstReport, ...] = ()
    leftovers: tuple[Finding, ...] = ()
    events: tuple[Event, ...] = ()
    stuck: Finding | None = None
    thread_sleeps: tuple[ThreadSleep, ...] = ()
    unknown_step: str = ""
    output: str = ""
    cut: int = 0
