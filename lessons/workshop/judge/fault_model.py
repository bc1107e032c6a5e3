"""The model of an exercise that is a test: it must notice each consumer with a fault.

A check.py gives consumers by name: right ones, whose names begin with "right", those with a fault,
and mutants. The student's test runs on each of them, in a step `try NAME`.
"""

from collections.abc import Iterable
from typing import ClassVar

from lessons.workshop.engine.model.expected import Answer
from lessons.workshop.engine.model.model import Model
from lessons.workshop.judge.mutants import Mutant

# Claim → diagnosis → faults. Each fault has a name, and edits of the right consumer, or is made.
Faults = dict[str, dict[str, dict[str, tuple[str, ...] | Mutant]]]

_FAULTY = """

class Faulty({name}):
    kinds = ()

    def send(self, message):
        self.kinds += (message["type"],)
        is_altered = (message["type"], self.kinds.count({kind!r})) == ({kind!r}, {number})
        for one in {messages} if is_altered else [message]:
            super().send(one)


application = Faulty.as_asgi()
"""


def altered(source: str, name: str, kind: str, number: int, messages: str) -> Mutant:
    """The SyncConsumer `name` of `source`, which sends other messages instead of one.

    The message is the one with this number, from 1, among those of a type. `messages` is the
    code of a list, in which `message` is the right one.
    """
    code = _FAULTY.format(name=name, kind=kind, number=number, messages=messages)
    words = f"message {number} of the kind {kind!r} is replaced by\n{messages}"
    return Mutant(words, 0, source + code)


def edited(source: str, *edits: str) -> str:
    """The source with each old text replaced by the new one that follows it in `edits`."""
    for old, new in _pairs(edits):
        assert old in source, old
        source = source.replace(old, new)
    return source


def _pairs(edits: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    return zip(edits[::2], edits[1::2], strict=True)


class FaultModel(Model):
    """A subclass sets these, and may give a promise as the docstring of `other`."""

    kind = "test"  # what the student writes; diagnoses begin with it
    subject = "consumer"  # what it tests, in the words of the exercise
    right: ClassVar[dict[str, str]] = {}  # sources by name; that of "right" is edited
    faults: ClassVar[Faults] = {}
    mutants: ClassVar[dict[str, Mutant]] = {}
    per_conversation = 10  # consumers with a fault that are tried one after the other

    explores = False
    judges_leftovers = False

    def __init_subclass__(cls):
        super().__init_subclass__()
        diagnoses = [one for claim in cls.faults.values() for one in claim.items()]
        cls._diagnoses = {name: diagnosis for diagnosis, faults in diagnoses for name in faults}
        faults = {name: it for _, faults in diagnoses for name, it in faults.items()}
        cls._edits = {name: it for name, it in faults.items() if not isinstance(it, Mutant)}
        cls._made = {name: it for name, it in faults.items() if isinstance(it, Mutant)}
        cls._made |= cls.mutants
        cls.consumers = {
            **cls.right,
            **{name: edited(cls.right["right"], *edits) for name, edits in cls._edits.items()},
            **{name: mutant.source for name, mutant in cls._made.items()},
        }

    def other(self, step):
        is_right = step.arguments["name"].startswith("right")

        def is_as_expected(answer):
            return answer["passed"] == is_right and (answer["events"] or not is_right)

        return Answer({"passed": is_right}, is_as_expected)

    def diagnose(self, difference):
        answer, name = difference.answer, difference.step.arguments.get("name")
        if not isinstance(answer, dict):
            return None
        if answer["forgotten"]:
            return "never-awaited"
        if name.startswith("right"):
            return self.diagnose_right(name, answer)
        return self._diagnoses.get(name, f"{self.kind}-passes-change")

    # Not a docstring: a finding would quote it as a promise of the exercise.
    def diagnose_right(self, name, answer):
        what = "runs-nothing" if answer["passed"] else "fails-the-right-one"
        return f"{self.kind}-{what}"

    def explain(self, difference):
        answer, name = difference.answer, difference.step.arguments.get("name")
        if not isinstance(answer, dict):
            return None
        if answer["forgotten"]:
            return answer["forgotten"]
        if name.startswith("right"):
            return self.explain_right(answer)
        if name in self._made:
            changes = [self._made[name].name]
        else:
            changes = [f"{old}\nbecomes\n{new}" for old, new in _pairs(self._edits[name])]
        green = f"Your {self.kind} is green for the {self.subject} {name}. In its code"
        ran = [f"These tests ran: {', '.join(answer['ran'])}."] if len(answer["ran"]) > 1 else []
        return "\n".join([green, *changes, *ran])

    def explain_right(self, answer):
        return f"{answer['code']}\n{answer['error']}".strip()

    @classmethod
    def try_faults(cls, play, claim: str) -> None:
        """Try each consumer with a fault of this claim."""
        cls._try(play, [name for faults in cls.faults[claim].values() for name in faults])

    @classmethod
    def try_mutants(cls, play) -> None:
        cls._try(play, cls.mutants)

    @classmethod
    def _try(cls, play, names: Iterable[str]) -> None:
        """A test that is red for the right consumer proves nothing about the others."""
        names = list(names)
        for first in range(0, len(names), cls.per_conversation):
            chosen = names[first : first + cls.per_conversation]
            play(["try right", *(f"try {name}" for name in chosen)])
