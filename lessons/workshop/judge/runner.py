"""Judges what a child process plays with a target. Every verdict is made here."""

import time
import traceback
from collections.abc import Callable
from contextlib import contextmanager

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.subjects import resolve
from lessons.workshop.engine.process.output import LimitedOutput
from lessons.workshop.engine.process.player_handle import (
    ForkedPlayer,
    PlayerEnded,
    PlayerFailed,
    PlayerNotStarted,
    PlayerProcess,
)
from lessons.workshop.engine.process.pool import PlayerPool
from lessons.workshop.engine.subject import Subject
from lessons.workshop.judge import exploration as exploring
from lessons.workshop.judge.claims import Claims, CourseError, Play, claim_of, run_claim
from lessons.workshop.judge.verdict import Outcome, Verdict

CHECK_TIMEOUT = 5.0  # seconds that one conversation may take
MAX_STUCK = 2  # claims that may use up their time; the next ones would most likely, too


def judge(
    lesson: Lesson,
    target: str | Subject = "exercise",
    timeout: float = CHECK_TIMEOUT,
    on_start: Callable[[], object] = lambda: None,
    on_claims: Callable[[Verdict], object] = lambda verdict: None,
    start_player: Callable[..., PlayerProcess] = ForkedPlayer,
    stops_at_red: bool = False,
) -> Verdict:
    """The verdict on `target` ("exercise", "solution", "mistake:NAME", a path).

    First the lesson's claims are checked, then generated conversations. Each conversation has
    `timeout` seconds. `on_start` is called when the child process has been started. If all claims
    are green, `on_claims` is called with the verdict so far. `start_player` starts the process.
    With `stops_at_red`, nothing is played after the first red claim: its finding is the first one.
    The result is a Verdict, whatever the target's code does. Raises UnknownTarget,
    PlayerNotStarted, and CourseError if the lesson's own files are broken.
    """
    if isinstance(target, str):
        target = resolve(lesson, target)
    digest = target.digest()
    started = time.monotonic()

    def verdict(players, outcomes):
        return Verdict(
            *(lesson.key, target.title, tuple(outcomes), players.problem, output.text()),
            digest=digest,
            seconds=time.monotonic() - started,
        )

    with PlayerPool(target, timeout, start_player, diagnose) as players:
        on_start()
        claims = Claims.of(lesson)
        with _errors_of_the_course():
            players.wait_until_loaded()
        output = players.output
        if players.problem:
            return verdict(players, [])
        with _errors_of_the_course():
            outcomes = _run_claims(lesson, players, claims, output, stops_at_red)
        if not claims.model.explores:
            return verdict(players, outcomes)
        exploration = Outcome(exploring.NAME, exploring.CLAIM, "not run")
        if all(outcome.state == "green" for outcome in outcomes):
            on_claims(verdict(players, [*outcomes, exploration]))
            with _errors_of_the_course():
                exploration = exploring.explore(lesson, players, claims.model, target.text())
        return verdict(players, [*outcomes, exploration])


@contextmanager
def _errors_of_the_course():
    """Within it, an exception comes from a claim or a model: it is raised as a CourseError."""
    try:
        yield
    except (CourseError, PlayerNotStarted):
        raise
    except PlayerFailed as failure:
        raise CourseError(str(failure)) from None
    except Exception:
        raise CourseError(traceback.format_exc()) from None


def _run_claims(
    lesson: Lesson,
    players: PlayerPool,
    claims: Claims,
    output: LimitedOutput,
    stops_at_red: bool,
) -> list[Outcome]:
    """The outcome of each claim. What the consumer prints is added to `output`."""
    outcomes = []
    for function in claims.functions:
        play = Play(lesson, players, claims.model)
        try:
            outcomes.append(run_claim(function, play))
            for played in play.conversations:
                output.add(played.output, played.cut)
        except PlayerEnded as ended:
            name, claim = function.__name__, claim_of(function)
            outcomes.append(Outcome(name, claim, "red", ended.finding))
            break
        is_red = outcomes[-1].state == "red"
        if (stops_at_red and is_red) or sum(map(is_stuck, outcomes)) == MAX_STUCK:
            break
    rest = claims.functions[len(outcomes) :]
    return [*outcomes, *(Outcome(it.__name__, claim_of(it), "not run") for it in rest)]


def is_stuck(outcome: Outcome) -> bool:
    """Whether a conversation of this claim did not end."""
    return outcome.finding is not None and outcome.finding.diagnosis == "stuck"
