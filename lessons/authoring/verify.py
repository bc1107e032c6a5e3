"""Proves a lesson: what must be red is red with the right diagnosis, what is right is green."""

import re
from dataclasses import dataclass, field

from lessons.authoring.verify_predictions import faults_of_predictions
from lessons.core import exercise_copies
from lessons.core.catalogue import FILES, IncompleteLesson, Lesson
from lessons.core.diagnoses import catalogue
from lessons.core.lesson_text import TextError, expanded
from lessons.core.source import UnknownName, find_source
from lessons.judge.report import explain
from lessons.judge.runner import judge
from lessons.playback.child_process import NoAnswer
from lessons.playback.conversation import PlaybackLimitExceeded, UnknownStep, play
from lessons.playback.target import UnknownTarget, mistakes_of
from lessons.simulator.finding import CheckFailed
from lessons.wire.transcript import render

LONGEST_TEXT = 500  # words of a lesson's prose
SECTIONS = ["See it", "Why", "Do it", "Where it bites"]
UNFIT = (
    IncompleteLesson,
    TextError,
    UnknownStep,
    UnknownTarget,
    PlaybackLimitExceeded,
    NoAnswer,
    CheckFailed,
)
_BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class VerifyReport:
    """What is wrong with a lesson (nothing: it is proven), and what was counted on the way."""

    lesson: Lesson
    faults: list[str] = field(default_factory=list)
    mistakes: int = 0
    mutants: int = 0
    equivalent: int = 0


def prove(lesson: Lesson, mutants: bool = False) -> VerifyReport:
    """Hold a lesson to everything that a lesson must be; with `mutants`, machine-made ones too."""
    proof = VerifyReport(lesson)
    try:
        proof.faults += _what_is_missing(lesson)
        if not proof.faults:
            proof.faults += _what_is_to_be_done(lesson)
            _prove_text(proof)
            proof.faults += faults_of_predictions(lesson)
            _prove_verdicts(proof, mutants)
    except UNFIT as fault:
        proof.faults.append(str(fault))
    return proof


def _what_is_missing(lesson: Lesson) -> list[str]:
    """Without these, nothing else can be looked at."""
    faults = [f"{name} is missing" for name in FILES if not lesson.path_to(name).is_file()]
    if faults:
        return faults
    if not lesson.tests.is_file():
        faults.append(f"{lesson.tests} is missing")
    try:
        find_source(lesson.demo)
    except UnknownName as error:
        faults.append(f"the worked example {lesson.demo} is not there: {error}")
    return faults


def _what_is_to_be_done(lesson: Lesson) -> list[str]:
    faults = [
        f"{file.name} has a TODO"
        for file in (*map(lesson.path_to, FILES), lesson.tests)
        if file != lesson.original and "TODO" in file.read_text(encoding="utf-8")
    ]
    if len(lesson.hints) != 3:
        faults.append(f"hints.md has {len(lesson.hints)} hints in place of 3")
    return faults


def _prove_text(proof: VerifyReport) -> None:
    lesson = proof.lesson
    sections = re.findall(r"^## (.+)$", lesson.text, re.MULTILINE)
    if sections != SECTIONS:
        proof.faults.append(f"lesson.md has the sections {sections} in place of {SECTIONS}")
    words = len(_BLOCK.sub("", lesson.text).split())
    if words > LONGEST_TEXT:
        proof.faults.append(f"lesson.md has {words} words of prose in place of {LONGEST_TEXT}")
    expanded(lesson)
    current = with_transcripts(lesson)
    if current != lesson.path_to("lesson.md").read_text(encoding="utf-8"):
        proof.faults.append("a transcript in lesson.md is not what crosses: verify --update")


def write_transcripts(lesson: Lesson) -> None:
    """Bring the transcripts in lesson.md up to date, where there is what they show."""
    if _what_is_missing(lesson):
        return
    lesson.path_to("lesson.md").write_text(with_transcripts(lesson), encoding="utf-8")


def with_transcripts(lesson: Lesson) -> str:
    """The whole of lesson.md with each transcript as it is recorded now."""

    def recorded(block: re.Match) -> str:
        kind, _, rest = block["info"].partition(" ")
        if kind != "transcript":
            return block[0]
        name, *steps = (part.strip() for part in rest.split("|"))
        transcript = render(play(lesson, name, steps))
        return f"```{block['info']}\n{transcript}\n```"

    return _BLOCK.sub(recorded, lesson.path_to("lesson.md").read_text(encoding="utf-8"))


def _prove_verdicts(proof: VerifyReport, mutants: bool) -> None:
    lesson = proof.lesson
    can_fail = _prove_exercise(proof)
    solution = judge(lesson, "solution")
    if not solution.green:
        proof.faults.append(f"the solution is red:\n{explain(solution)}")
        return
    for outcome in solution.outcomes:
        if outcome.claim == outcome.name:
            proof.faults.append(f"{outcome.name} has no docstring")
    for name, mistake in mistakes_of(lesson).items():
        can_fail |= _prove_mistake(proof, name, mistake)
    if not proof.mistakes:
        proof.faults.append("mistakes.py has no mistake")
    if mutants:
        can_fail |= _prove_mutants(proof)
        for outcome in solution.outcomes:
            if outcome.name not in can_fail:
                proof.faults.append(f"{outcome.name} is red for nothing: it cannot fail")


def _prove_exercise(proof: VerifyReport) -> set[str]:
    lesson = proof.lesson
    content = lesson.original.read_bytes()
    verdict = judge(lesson, str(lesson.original))
    if exercise_copies.read_manifest().get(lesson.folder.name) != exercise_copies.digest(content):
        proof.faults.append("exercise.py has another digest in exercises.sha256: verify --update")
    if verdict.green:
        proof.faults.append("the exercise is green as it stands")
    if verdict.problem:
        proof.faults.append(f"the exercise does not run: {verdict.problem.message}")
    if b"TODO" not in content:
        proof.faults.append("exercise.py has no TODO")
    return _red_checks(verdict)


def _red_checks(verdict) -> set[str]:
    return {outcome.name for outcome in verdict.outcomes if outcome.state == "red"}


def _prove_mistake(proof: VerifyReport, name: str, mistake) -> set[str]:
    proof.mistakes += 1
    if mistake.diagnosis not in catalogue():
        proof.faults.append(f"{name} names a diagnosis that there is not: {mistake.diagnosis}")
    if not mistake.__doc__:
        proof.faults.append(f"{name} does not say what was misunderstood")
    verdict = judge(proof.lesson, f"mistake:{name}")
    first = verdict.diagnosis_ids[:1]
    if verdict.green:
        proof.faults.append(f"{name} is green")
    elif first != [mistake.diagnosis]:
        proof.faults.append(f"{name} gets {verdict.diagnosis_ids} in place of {mistake.diagnosis}")
    return _red_checks(verdict)


def _prove_mutants(proof: VerifyReport) -> set[str]:
    from lessons.authoring.mutant_runs import demo_mutants, solution_mutants

    noticed_by: set[str] = set()
    for runs in (solution_mutants(proof.lesson), demo_mutants(proof.lesson)):
        for run in runs:
            proof.mutants += 1
            noticed_by.update(run.noticed_by)
            where = f"{run.file.name}, line {run.mutant.line}: {run.mutant.name}"
            if run.reason and run.noticed:
                proof.faults.append(f"a mutant is noticed, and yet called equivalent: {where}")
            elif run.reason:
                proof.equivalent += 1
            elif not run.noticed:
                proof.faults.append(f"a mutant goes unnoticed: {where}")
    return noticed_by
