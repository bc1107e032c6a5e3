"""Plays one conversation in this process: sets up what surrounds the player, and reports."""

import asyncio
import threading
from collections.abc import Callable

from ..faults.finding import CheckFailed, Finding, Place, SourceFile, SubjectSource, make_finding
from ..recording.events import error_text
from ..scheduling.clock import ThreadSleep
from ..scheduling.loop import SimulatedLoop
from ..script.player import Player
from ..script.report import MAX_EVENTS, PlayOptions, Report
from ..script.steps import Step, UnknownStep, setup_of
from ..subject import Subject
from ..world.leftovers import Leftovers
from ..world.signal_receivers import isolated_signals
from ..world.student_module import load_subject
from ..world.world import simulation


class Conversation:
    """One conversation with the subject. report() works at any time and from any thread."""

    def __init__(
        self, subject: Subject, options: PlayOptions, on_load: Callable[[], None] = lambda: None
    ):
        """`on_load` is called when the subject's file has been imported."""
        self._on_load = on_load
        self._subject = subject
        self._options = options
        self._player: Player | None = None
        self._leftovers: Leftovers | None = None
        self._findings: list[Finding] = []
        self._unknown_step = ""
        self._thread_sleeps: list[ThreadSleep] = []

    def play(self, steps: list[Step]) -> None:
        """Import the subject's file again, and play the steps.

        What the student's code raises becomes a finding.
        """
        try:
            setup = setup_of(steps)
        except UnknownStep as error:
            self._unknown_step = str(error)
            return
        seed = setup.get("seed", 0)
        config = {name: setup[name] for name in ("capacity",) if name in setup}
        # The file may read the clock when it is imported.
        with simulation(seed, **config) as loop:
            self._thread_sleeps = loop.thread_sleeps
            try:
                loaded = load_subject(self._subject)
            except CheckFailed as failure:
                self._findings.append(failure.finding)
                return
            self._on_load()
            self._source = SubjectSource(loaded)
            self._leftovers = Leftovers(self._source)
            self._player = Player(self._subject, loaded, self._options)
            try:
                with isolated_signals(loaded) as freed:
                    place = Place(self._source.file)
                    for name in freed:
                        detail = f"A receiver of {name} was freed right after it was connected."
                        self._findings.append(make_finding("receiver-gone", place, detail=detail))
                    self._play(steps, loop)
            except CheckFailed as failure:
                self._findings.append(failure.finding)

    def _play(self, steps: list[Step], loop: SimulatedLoop) -> None:
        with self._leftovers.watched():
            try:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(self._play_in_loop(steps))
            except UnknownStep as error:
                self._unknown_step = str(error)
            except (SystemExit, KeyboardInterrupt) as error:
                self._add_finding("calls-exit", error)
            except Exception as error:
                # A step may call Django, and Django the student's code.
                if not self._source.place_of_error(error):
                    raise
                self._add_finding("exception", error)
        if self._findings or any(burst.faults for burst in self._player.bursts):
            self._leftovers.find_unstarted_coroutine()

    async def _play_in_loop(self, steps: list[Step]) -> None:
        self._leftovers.ignore_jobs_so_far()
        await self._player.play(steps)
        loop = asyncio.get_running_loop()
        await loop.wait_until_idle()
        for task in loop.other_tasks():
            place = self._source.place_of_task(task)
            self._findings.append(make_finding("task-left-behind", place))
            task.cancel()
        # What follows is not a part of the conversation.
        self._thread_sleeps = [*self._thread_sleeps]
        await self._leftovers.wait_for_jobs(reports=not self._player.has_killed)
        if self._options.leftovers and not self._player.has_killed:
            await self._leftovers.wait_for_timers()

    def _add_finding(self, code: str, error: BaseException) -> None:
        place = self._source.place_of_error(error) or self._source.running_place()
        event = self._last_event()
        place = place or self._source.place_of_handler(event)
        raised = error_text(error)
        self._findings.append(make_finding(code, place, event, raised, raised=raised))

    def _last_event(self) -> str:
        events = self._player.events if self._player else ()
        handled = [event for event in events if event.direction == "in"]
        return str(handled[-1].message.get("type", "")) if handled else ""

    def report(self) -> Report:
        if self._player is None:
            return Report(leftovers=tuple(self._findings), unknown_step=self._unknown_step)
        left = [*self._player.leftovers, *self._leftovers.findings]
        return Report(
            bursts=tuple(self._player.bursts),
            leftovers=(*self._findings, *(left if self._options.leftovers else ())),
            events=self._player.events[:MAX_EVENTS] if self._options.events else (),
            thread_sleeps=tuple(self._thread_sleeps),
            unknown_step=self._unknown_step,
        )

    def finding_of_hang(self, detail: str) -> Finding:
        """The finding for a conversation that does not end: where its code is now."""
        source = SourceFile(str(self._subject.file))
        loop_thread = threading.main_thread().ident  # other threads may only wait for their turn
        place = source.running_place(loop_thread) or source.running_place() or Place(source.file)
        code = "stuck" if self._player else "import-never-ends"
        return make_finding(code, place, self._last_event(), detail)
