"""Plays one conversation in this process: sets up what surrounds the player, and reports."""

import asyncio
import random

from lessons.workshop.engine.faults.finding import (
    CheckFailed,
    Finding,
    Place,
    SubjectSource,
    make_finding,
    place_of_error,
    running_place,
)
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.engine.script.player import Player
from lessons.workshop.engine.script.report import Report
from lessons.workshop.engine.script.steps import Step, UnknownStep
from lessons.workshop.engine.subject import Subject
from lessons.workshop.engine.world.channel_layer import fake_redis
from lessons.workshop.engine.world.clock import simulated_clock
from lessons.workshop.engine.world.leftovers import Leftovers
from lessons.workshop.engine.world.loop import SimulatedLoop, ThreadSleep
from lessons.workshop.engine.world.signal_receivers import isolated_signals, receiver_was_lost
from lessons.workshop.engine.world.student_module import load_subject


class ConversationRun:
    """One conversation with the subject. report() works at any time and from any thread."""

    def __init__(self, subject: Subject, options, on_load=lambda: None):
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
        setup = {step.action: step.arguments for step in steps if step.kind.is_setup}
        seed = setup.get("seed", {"number": 0})["number"]
        config = {"capacity": setup["capacity"]["messages"]} if "capacity" in setup else {}
        loop = SimulatedLoop(seed)
        random.seed(seed)  # a student's jitter is the same in each verdict
        self._thread_sleeps = loop.thread_sleeps
        # The file may read the clock when it is imported.
        with fake_redis(**config), simulated_clock(loop):
            try:
                loaded = load_subject(self._subject)
            except CheckFailed as failure:
                self._findings.append(failure.finding)
                loop.close()
                return
            self._on_load()
            self._source = SubjectSource(loaded)
            self._player = Player(
                self._subject,
                loaded,
                self._options.database,
                self._options.lines,
                self._options.stop_timeout,
            )
            self._player.consumers = self._options.consumers
            self._player.with_state = self._options.events
            self._leftovers = Leftovers(loaded)
            with isolated_signals(loaded):
                if receiver_was_lost():
                    self._findings.append(make_finding("receiver-gone", Place(self._source.file)))
                self._play(steps, loop)

    def _play(self, steps: list[Step], loop: SimulatedLoop) -> None:
        with self._leftovers.watched(self._options.thorough):
            try:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(self._play_in_loop(steps))
            except UnknownStep as error:
                self._unknown_step = str(error)
            except CheckFailed as failure:
                self._findings.append(failure.finding)
            except (SystemExit, KeyboardInterrupt) as error:
                self._add_finding("calls-exit", error)
            except Exception as error:
                # A step may call Django, and Django the student's code.
                if not place_of_error(self._source.file, error):
                    raise
                self._add_finding("exception", error)
        if self._has_faults() and self._options.thorough:
            self._leftovers.find_unstarted_coroutine()

    async def _play_in_loop(self, steps: list[Step]) -> None:
        self._leftovers.ignore_jobs_so_far()
        await self._player.play(steps)
        await asyncio.get_running_loop().wait_until_idle()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            place = self._source.place_of_task(task)
            self._findings.append(make_finding("task-left-behind", place))
            task.cancel()
        # What follows is not a part of the conversation.
        self._thread_sleeps = [*self._thread_sleeps]
        await self._leftovers.wait_for_jobs(reports=not self._player.has_killed)
        if self._options.leftovers and not self._player.has_killed:
            await self._leftovers.wait_for_timers()

    def _add_finding(self, name: str, error: BaseException) -> None:
        place = place_of_error(self._source.file, error) or running_place(self._source.file)
        place = place or self._source.place_of_handler(self.last_event)
        detail = error_text(error)
        finding = make_finding(name, place, self.last_event, detail, raised=detail)
        self._findings.append(finding)

    def _left(self) -> list[Finding]:
        if self._player is None or self._leftovers is None or not self._options.leftovers:
            return []
        return [*self._player.leftovers, *self._leftovers.findings]

    def _events(self) -> tuple:
        return self._player.events if self._player else ()

    @property
    def last_event(self) -> str:
        """Type of the event that was handled last."""
        handled = [event for event in self._events() if event.direction == "in"]
        return str(handled[-1].message.get("type", "")) if handled else ""

    def _has_faults(self) -> bool:
        return bool(self._findings) or any(turn.faults for turn in self._player.bursts)

    def report(self, stuck: Finding | None = None) -> Report:
        """What has happened so far."""
        return Report(
            bursts=tuple(self._player.bursts) if self._player else (),
            leftovers=(*self._findings, *self._left()),
            events=self._events() if self._options.events or stuck else (),
            stuck=stuck,
            thread_sleeps=tuple(self._thread_sleeps),
            unknown_step=self._unknown_step,
        )
