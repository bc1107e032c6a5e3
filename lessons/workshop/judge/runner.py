"""Judges what a child process plays with a target. Every verdict is made here."""

import time
import traceback
from collections import deque
from collections.abc import Callable

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.model.conversations import parse_conversation
from lessons.workshop.engine.model.exploration import Exploration, Shortening
from lessons.workshop.engine.model.model_difference import Difference, find_difference
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.player_handle import (
    PLAY_TIMEOUT,
    PlayerEnded,
    PlayerFailed,
    PlayerNotStarted,
    PlayerProcess,
    Request,
    forked_player,
)
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.script.action import UnknownStep
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge.claims import Claim, ClaimConversation, Claims, CourseError
from lessons.workshop.judge.naming import Naming
from lessons.workshop.judge.source_texts import texts_in
from lessons.workshop.judge.verdict import Outcome, Verdict

EXPLORATION = "exploration"  # the name of the last outcome
EXPLORATION_CLAIM = "Whatever clients send, and whenever, the consumer keeps its promise."
MAX_STUCK = 2  # claims that may use up their time; the next ones would most likely, too


def judge(
    lesson: Lesson,
    target: str | Subject = "exercise",
    timeout: float = PLAY_TIMEOUT,
    on_claims: Callable[[Verdict], object] = lambda verdict: None,
    start_player: Callable[..., PlayerProcess] = forked_player,
    stops_at_red: bool = False,
    failed_before: Outcome | None = None,
) -> Verdict:
    """The verdict on `target` ("exercise", "solution", "mistake:NAME", a path).

    The lesson's claims are checked, then generated conversations. Each conversation has `timeout`
    seconds. If all claims are green, `on_claims` is called with the verdict so far. `start_player`
    starts the process. With `stops_at_red`, nothing counts after the first red claim: its finding
    is the first one. Before all else, the conversation of the red outcome `failed_before` is
    played. If it fails again, `on_claims` is called with that outcome alone. The verdict does not
    depend on it. The result is a Verdict, whatever the target's code does. Raises UnknownTarget,
    PlayerNotStarted, and CourseError if the lesson's own files are broken.
    """
    if isinstance(target, str):
        target = resolve(lesson, target)
    digest = target.digest()
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
            judging = Judging(claims, players, lesson, target, stops_at_red)
            if failed_before and (outcomes := judging.outcomes_if_still_red(failed_before)):
                on_claims(verdict(outcomes))
            judging.play(lambda: on_claims(verdict(judging.outcomes(False), judging.output())))
            return verdict(judging.outcomes(), judging.output())
        except (CourseError, PlayerNotStarted):
            raise
        except PlayerFailed as failure:
            raise CourseError(str(failure)) from None
        except Exception:  # of a claim or a model
            raise CourseError(traceback.format_exc()) from None


class Judging:
    """The claims and the exploration of one target, whose conversations are played in one queue."""

    def __init__(self, claims, players, lesson, target, stops_at_red):
        self._players: PlayerPool = players
        self._stops_at_red = stops_at_red
        self._claims = [Claim(function, claims.model) for function in claims.functions]
        self._naming = Naming(claims.model, players.play, players.file)
        self._queue = deque(it for claim in self._claims for it in claim.conversations)
        self._exploration = None
        if claims.model.explores:
            self._exploration = Exploration(claims.model, texts_in(target.text()))

    def outcomes_if_still_red(self, before: Outcome) -> list[Outcome]:
        """The outcomes with this one alone, if its conversation fails again; else []."""
        names = {claim.name: claim.text for claim in self._claims}
        if self._exploration:
            names[EXPLORATION] = EXPLORATION_CLAIM
        if before.name not in names or before.finding.diagnosis == "stuck":
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
            Outcome(name, text, "red", finding, events)
            if name == before.name
            else Outcome(name, text, "not run")
            for name, text in names.items()
            if finding
        ]

    def play(self, on_claims: Callable[[], object]) -> None:
        """Play and judge all. `on_claims` is called when all claims are green."""
        are_announced = self._exploration is None
        for conversation in self._players.play_all(self._next):
            if isinstance(conversation, ClaimConversation):
                follow_ups = conversation.claim.judge(conversation)
                self._queue.extendleft(reversed(follow_ups))
                self._cancel_claims()
            else:
                self._exploration.judge(conversation)
            if not are_announced and all(claim.is_green for claim in self._claims):
                are_announced = True
                on_claims()
            if are_announced and self._exploration and self._exploration.cause:
                return

    def _next(self) -> Request | None:
        """The next conversation to play. Those of claims come first."""
        for _ in range(len(self._queue)):
            conversation = self._queue.popleft()
            if conversation.is_wanted():
                return conversation
            self._queue.append(conversation)  # an earlier failure may turn out to be another one
        if self._exploration and not any(claim.failed for claim in self._claims):
            return self._exploration.next()
        return None

    def _cancel_claims(self) -> None:
        """Cancel the claims that do not run: those after the end of a process, for example."""
        is_over, stuck = False, 0
        for claim in self._claims:
            claim.is_cancelled = is_over
            if claim.failed:
                stuck += claim.failed.is_stuck
                ends = isinstance(claim.failed.cause, PlayerEnded)
                is_over = is_over or self._stops_at_red or ends or stuck == MAX_STUCK

    def output(self) -> str:
        """What the file printed when it was imported, then what the claims printed."""
        output = LimitedOutput()
        first = self._players.first.output
        output.add(first.getvalue(), first.cut)
        for report in (it for claim in self._claims for it in claim.played()):
            output.add(report.output, report.cut)
        return output.text()

    def outcomes(self, has_explored: bool = True) -> list[Outcome]:
        """The outcome of each claim, then that of the exploration."""
        outcomes = [self._outcome_of(claim) for claim in self._claims]
        if self._exploration and has_explored and not any(claim.failed for claim in self._claims):
            outcomes.append(self._outcome_of_exploration())
        elif self._exploration:
            outcomes.append(Outcome(EXPLORATION, EXPLORATION_CLAIM, "not run"))
        return outcomes

    def _outcome_of(self, claim: Claim) -> Outcome:
        if claim.is_cancelled:
            return Outcome(claim.name, claim.text, "not run")
        if claim.failed is None:
            return Outcome(claim.name, claim.text, "green")
        return self._red(claim.name, claim.text, claim.failed.cause, claim.failed.otherwise)

    def _outcome_of_exploration(self) -> Outcome:
        exploration = self._exploration
        if exploration.cause is None:
            claim = f"{EXPLORATION_CLAIM} ({exploration.count} conversations)"
            return Outcome(EXPLORATION, claim, "green")
        cause = exploration.cause
        if isinstance(cause, Difference):
            cause = Shortening(cause, exploration.model, self._players.play).run()
        return self._red(EXPLORATION, EXPLORATION_CLAIM, cause)

    def _red(self, name: str, claim: str, cause, otherwise: str | None = None) -> Outcome:
        try:
            if isinstance(cause, PlayerEnded | PlayerFailed):
                raise cause
            finding, events = self._naming.finding(cause, otherwise)
            return Outcome(name, claim, "red", finding, events)
        except PlayerEnded as ended:
            return Outcome(name, claim, "red", ended.finding)
