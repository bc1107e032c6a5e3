"""Judges what a child process plays with a target. Every verdict is made here."""

import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.model.conversations import parse_conversation
from lessons.workshop.engine.model.model_difference import Difference, find_difference
from lessons.workshop.engine.model.shortening import Shortening
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.player_handle import (
    PLAY_TIMEOUT,
    PlayerEnded,
    PlayerFailed,
    PlayerNotStarted,
    PlayerProcess,
    forked_player,
)
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script.action import UnknownStep
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.claims import Claim, ClaimConversation, Claims, CourseError, Exploration
from lessons.workshop.judge.naming import Naming
from lessons.workshop.judge.source_texts import texts_in
from lessons.workshop.judge.verdict import Outcome, Verdict

MAX_STUCK = 2  # claims that may use up their time; the next ones would most likely, too


def judge(
    lesson: Lesson,
    target: str | Subject = "exercise",
    timeout: float = PLAY_TIMEOUT,
    on_claims: Callable[[Verdict], object] = lambda verdict: None,
    start_player: Callable[..., PlayerProcess] = forked_player,
    stops_at_red: bool = False,
    failed_before: Outcome | None = None,
    names_faults: bool = True,
) -> Verdict:
    """The verdict on `target` ("exercise", "solution", "mistake:NAME", a path).

    The lesson's claims are checked, then generated conversations. Each conversation has `timeout`
    seconds. If all claims are green, `on_claims` is called with the verdict so far. `start_player`
    starts the process. With `stops_at_red`, nothing counts after the first red claim: its finding
    is the first one. Before all else, the conversation of the red outcome `failed_before` is
    played. If it fails again, `on_claims` is called with that outcome alone. The verdict does not
    depend on it. Without `names_faults`, a red outcome has no finding. The result is a Verdict,
    whatever the target's code does. Raises UnknownTarget, PlayerNotStarted, and CourseError if the
    lesson's own files are broken.
    """
    if isinstance(target, str):
        target = resolve(lesson, target)
    digest, text = target.digest(), target.text()
    if text:  # the players need not read it, and all of them have the same version
        target = replace(target, source=text)
    started = time.monotonic()

    def verdict(outcomes=(), output=""):
        return Verdict(
            *(lesson.key, target.title, tuple(outcomes), players.first.problem, output),
            digest=digest,
            seconds=time.monotonic() - started,
        )

    with PlayerPool(target, timeout, start_player, diagnose) as players:
        claims = Claims.of(lesson)
        try:
            players.first.wait_until_loaded()
            if players.first.problem:
                return verdict(output=players.first.output.text())
            judging = Judging(claims, players, texts_in(text), stops_at_red)
            if failed_before and (outcomes := judging.outcomes_if_still_red(failed_before)):
                on_claims(verdict(outcomes))
            judging.play(lambda: on_claims(verdict(judging.outcomes(False), judging.output())))
            return verdict(judging.outcomes(names_faults=names_faults), judging.output())
        except (CourseError, PlayerNotStarted):
            raise
        except PlayerFailed as failure:
            raise CourseError(str(failure)) from None
        except Exception:  # of a claim or a model
            raise CourseError(traceback.format_exc()) from None


class Judging:
    """The claims and the exploration of one target, whose conversations are played in one queue."""

    def __init__(
        self, claims: Claims, players: PlayerPool, own_texts: list[str], stops_at_red: bool
    ):
        self._players = players
        self._stops_at_red = stops_at_red
        self._claims = [Claim.of(function, claims.model) for function in claims.functions]
        self._naming = Naming(claims.model, players.play, players.file)
        self._queue = deque(it for claim in self._claims for it in claim.conversations)
        self._exploration = Exploration(claims.model, own_texts) if claims.model.explores else None
        self._all = [*self._claims, *filter(None, [self._exploration])]

    def outcomes_if_still_red(self, before: Outcome) -> list[Outcome]:
        """The outcomes with this one alone, if its conversation fails again; else []."""
        is_known = before.name in {claim.name for claim in self._all}
        if not is_known or before.finding.diagnosis == "stuck":
            return []
        try:
            model = self._naming.model
            steps = parse_conversation(split_steps(before.finding.conversation))
            report = self._players.play(steps, model.play_options())
            difference = find_difference(model(), steps, report)
            finding, events = self._naming.finding(difference) if difference else (None, ())
        except (UnknownStep, PlayerEnded, PlayerFailed):
            return []
        return [
            Outcome(claim.name, claim.text, "red", finding, events)
            if claim.name == before.name
            else Outcome(claim.name, claim.text, "not run")
            for claim in self._all
            if finding
        ]

    def play(self, on_claims: Callable[[], object]) -> None:
        """Play and judge all. `on_claims` is called when all claims are green, before the rest."""
        for conversation in self._players.play_all(partial(self._next, on_claims)):
            if conversation.is_wanted():
                self._queue.extendleft(reversed(conversation.claim.judge(conversation)))
                self._cancel_claims()
            else:
                self._set_aside(conversation)
            if self._exploration and self._exploration.failed:
                return

    def _next(self, on_claims: Callable[[], object]) -> ClaimConversation | None:
        """The next conversation to play. Generated ones, often long, begin after all claims."""
        for _ in range(len(self._queue)):
            conversation = self._queue.popleft()
            if conversation.is_wanted():
                return conversation
            self._set_aside(conversation)
        if self._exploration is None or not all(claim.is_green for claim in self._claims):
            return None
        if not self._exploration.conversations:
            on_claims()
        return self._exploration.next()

    def _set_aside(self, conversation: ClaimConversation) -> None:
        """Do not judge it now: an earlier failure may turn out to be another one."""
        conversation.answer = None
        self._queue.append(conversation)

    def _cancel_claims(self) -> None:
        """Cancel the claims that do not run: those after the end of a process, for example."""
        is_over, stuck = False, 0
        for claim in self._claims:
            claim.is_cancelled = is_over
            if claim.failed:
                stuck += claim.failed.is_stuck
                ends = isinstance(claim.failed.cause, PlayerEnded)
                is_over = is_over or self._stops_at_red or ends or stuck == MAX_STUCK
        if self._exploration:
            self._exploration.is_cancelled = any(claim.failed for claim in self._claims)

    def output(self) -> str:
        """What the file printed when it was imported, then what the claims printed."""
        output = LimitedOutput()
        first = self._players.first.output
        output.add(first.getvalue(), first.cut)
        for report in (it for claim in self._claims for it in claim.played()):
            output.add(report.output, report.cut)
        return output.text()

    def outcomes(self, has_explored: bool = True, names_faults: bool = True) -> list[Outcome]:
        """The outcome of each claim, then that of the exploration."""
        return [
            self._outcome_of(claim, names_faults)
            if has_explored or claim is not self._exploration
            else Outcome(claim.name, claim.text, "not run")
            for claim in self._all
        ]

    def _outcome_of(self, claim: Claim, names_faults: bool) -> Outcome:
        if claim.is_cancelled:
            return Outcome(claim.name, claim.text, "not run")
        failed, is_exploration = claim.failed, claim is self._exploration
        if failed is None:
            count = f" ({len(claim.conversations)} conversations)" if is_exploration else ""
            return Outcome(claim.name, claim.text + count, "green")
        if not names_faults:
            return Outcome(claim.name, claim.text, "red")
        cause = failed.cause
        if is_exploration and isinstance(cause, Difference):
            cause = Shortening(cause, claim.model, self._players.play).run()
        try:
            if isinstance(cause, PlayerEnded | PlayerFailed):
                raise cause
            finding, events = self._naming.finding(cause)
            return Outcome(claim.name, claim.text, "red", finding, events)
        except PlayerEnded as ended:
            return Outcome(claim.name, claim.text, "red", ended.finding)
