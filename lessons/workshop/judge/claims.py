"""Reads the claims of a check.py, and judges the conversations that they play.

A claim is a function whose docstring is its name. It plays conversations, and each of them must go
as the lesson's model says:

    def test_the_right_guess_ends_the_game(play):
        'The right guess gets "Right.", then the close with 1000, and the consumer stops.'
        play("connect | text 07 | text 7")

`play` takes steps in the grammar of lessons/workshop/engine/script/steps.py, in one
text or as a list. At its end each client that is still connected leaves.

A claim only says which conversations there are. So the players can play those of all claims side
by side.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.faults.finding import CheckFailed
from lessons.workshop.engine.model.conversations import (
    conversations_for,
    one_after_the_other,
    parse_conversation,
)
from lessons.workshop.engine.model.model import Model
from lessons.workshop.engine.model.model_difference import Difference, find_difference
from lessons.workshop.engine.process.player_handle import PlayerEnded, PlayerFailed, Request
from lessons.workshop.engine.script.report import Report
from lessons.workshop.engine.world.student_module import load_file

EXPLORATION = "exploration"  # the name of the last outcome
EXPLORATION_CLAIM = "Whatever clients send, and whenever, the consumer does what the task says."

MAX_POINTS = 100  # at which a step interferes: code that spins on sleep(0) passes thousands


class CourseError(Exception):
    """The course's own code is broken. The text says where, or is a traceback."""


@dataclass(frozen=True)
class Claims:
    """What a check.py holds: the claims, in the order of the file, the model, and `PROMISES`."""

    functions: tuple[Callable, ...]
    model: type[Model]
    promises: dict[str, str | tuple[str, ...]]  # see authoring/promises.py

    @classmethod
    def of(cls, lesson: Lesson, source: str | None = None) -> "Claims":
        """Those of check.py, or of `source` instead of its text.

        Raises CourseError for a file that cannot be run, or that is not complete.
        """
        try:
            module = load_file(lesson.check, source)
        except CheckFailed as failure:
            finding = failure.finding
            text = f"{lesson.check}, line {finding.line}: {finding.detail}"
            raise CourseError(text) from failure
        own = [
            it for it in vars(module).values() if getattr(it, "__module__", "") == module.__name__
        ]
        functions = [it for it in own if inspect.isfunction(it) and it.__name__.startswith("test_")]
        models = [it for it in own if inspect.isclass(it) and issubclass(it, Model)]
        if not models:
            raise CourseError(f"{lesson.check} has no model: write a subclass of Model.")
        return cls(tuple(functions), models[-1], getattr(module, "PROMISES", {}))


@dataclass(eq=False, kw_only=True)
class ClaimConversation(Request):
    """A conversation of a claim, and its `rank` there: of several that fail, the lowest counts.

    `follow_ups` returns what must be played because of the answer: its arguments are the report,
    and whether it differs from the model.
    """

    claim: "Claim"
    rank: tuple[int, ...]
    follow_ups: Callable[[Report, bool], list["ClaimConversation"]]
    # Why it is red: a difference from the model, or the end of the player's process.
    cause: Difference | PlayerEnded | PlayerFailed | None = None

    @property
    def is_stuck(self) -> bool:
        fault = isinstance(self.cause, Difference) and self.cause.fault
        return bool(fault) and fault.diagnosis in ("stuck", "import-never-ends")


class Claim:
    """One claim: its conversations, and how far they have been judged.

    It is the `play` that the function in check.py calls.
    """

    def __init__(self, name: str, text: str, model: type[Model]):
        self.name, self.text, self.model = name, text, model
        self.conversations: list[ClaimConversation] = []  # that are known so far
        self.unjudged = 0
        self.failed: ClaimConversation | None = None  # the first one that is red
        self.is_cancelled = False  # an earlier claim has failed, and this one does not run

    @classmethod
    def of(cls, function: Callable, model: type[Model]) -> "Claim":
        """The claim of a function in check.py. Raises CourseError if it plays nothing."""
        name = function.__name__
        if inspect.iscoroutinefunction(function):
            raise CourseError(f"{name} is async. A claim is a plain function.")
        claim = cls(name, " ".join((function.__doc__ or name).split()), model)
        function(claim)
        if not claim.conversations:
            raise CourseError(f"{name} plays no conversation.")
        return claim

    def __call__(self, steps: str | Sequence[str]) -> None:
        """Play one conversation."""
        self._add(parse_conversation(steps), (len(self.conversations),))

    def in_turn(self, conversations: Sequence[str]) -> None:
        """Play the conversations one after the other on one application, each by other clients.

        What fails alone as well is reported alone.
        """
        number = len(self.conversations)
        parsed = [*map(parse_conversation, conversations)]

        def alone(report: Report, differs: bool) -> list[ClaimConversation]:
            ranked = enumerate(parsed) if differs else ()
            return [self._add(steps, (number, 0, rank)) for rank, steps in ranked]

        self._add(one_after_the_other(parsed), (number, 1), alone)

    def at_each_point(self, steps: str) -> None:
        """Play the conversation once for each point at which `at * …` may be taken."""
        number, known = len(self.conversations), 0

        def further(report: Report, differs: bool) -> list[ClaimConversation]:
            passed = max((burst.points for burst in report.bursts), default=0)
            return [play(known) for _ in range(known, min(passed, MAX_POINTS) + 1)]

        def play(point: int) -> ClaimConversation:
            nonlocal known
            known += 1
            parsed = parse_conversation(steps.replace("at * ", f"at {point} "))
            return self._add(parsed, (number, point), further)

        play(0)

    def _add(self, steps, rank, follow_ups=lambda *_: []) -> ClaimConversation:
        options = self.model.play_options()
        tried = [step.arguments["name"] for step in steps if step.action == "try"]
        consumers = {name: options.consumers[name] for name in tried if name in options.consumers}
        added = ClaimConversation(
            *(steps, replace(options, consumers=consumers), lambda: self._is_wanted(rank)),
            claim=self,
            rank=rank,
            follow_ups=follow_ups,
        )
        self.conversations.append(added)
        self.unjudged += 1
        return added

    def _is_wanted(self, rank: tuple[int, ...]) -> bool:
        return not self.is_cancelled and (self.failed is None or rank < self.failed.rank)

    def judge(self, conversation: ClaimConversation) -> list[ClaimConversation]:
        """Judge the answer. Returns what must be played because of it."""
        self.unjudged -= 1
        report = conversation.answer
        if not isinstance(report, Report):
            conversation.cause, self.failed = report, conversation
            return []
        conversation.cause = find_difference(self.model(), conversation.steps, report)
        if conversation.cause:
            self.failed = conversation
        return conversation.follow_ups(report, conversation.cause is not None)

    @property
    def is_green(self) -> bool:
        return not self.failed and not self.unjudged

    def played(self) -> list[Report]:
        """The reports in their order, up to the first one that failed."""
        reports = sorted(self.conversations, key=lambda it: it.rank)
        last = self.failed and self.failed.rank
        reports = [it.answer for it in reports if last is None or it.rank <= last]
        return [report for report in reports if isinstance(report, Report)]


class Exploration(Claim):
    """The last claim, whose conversations are generated: next() returns one."""

    def __init__(self, model: type[Model], own_texts: Sequence[str]):
        super().__init__(EXPLORATION, EXPLORATION_CLAIM, model)
        self._steps = conversations_for(model, own_texts)

    def next(self) -> ClaimConversation | None:
        """The next conversation to play; None after the last one, and after one has failed."""
        steps = None if self.failed else next(self._steps, None)
        return None if steps is None else self._add(steps, (len(self.conversations),))

    def judge(self, conversation: ClaimConversation) -> list[ClaimConversation]:
        follow_ups = super().judge(conversation)
        conversation.answer = None  # there are many, and some are long
        return follow_ups
