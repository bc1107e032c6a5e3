"""`lesson verify`: is the course what it says it is?"""

from collections.abc import Iterable

from rich.text import Text

from lessons.authoring.verify import (
    LESSON_ERRORS,
    VerifyReport,
    update_transcripts,
    verify_lesson,
)
from lessons.cli.screen import CROSS, TICK, print_paragraph, print_text
from lessons.core.catalogue import Lesson
from lessons.core.exercise_copies import update_manifest
from lessons.judge.runner import CourseFault


def verify(console, some: Iterable[Lesson], mutants: bool, update: bool) -> int:
    """A line a lesson, and all that is wrong with it; 0 when nothing is, else 1."""
    proofs = []
    for lesson in some:
        proofs.append(_proof_of(lesson, mutants, update))
        _draw(console, proofs[-1])
    faults = sum(len(proof.faults) for proof in proofs)
    console.print()
    print_text(console, f"lessons: {len(proofs)}, {_counted(proofs)}, faults: {faults}")
    return 1 if faults else 0


def _proof_of(lesson: Lesson, mutants: bool, update: bool) -> VerifyReport:
    try:
        if update:
            update_transcripts(lesson)
            update_manifest([lesson])
            lesson = Lesson(lesson.folder)  # the old one has the old text in its cache
        return verify_lesson(lesson, mutants)
    except CourseFault as fault:
        return VerifyReport(lesson, [f"the checks go wrong, whatever the target:\n{fault}"])
    except LESSON_ERRORS as fault:
        return VerifyReport(lesson, [str(fault)])


def _draw(console, proof: VerifyReport) -> None:
    sign, colour = (CROSS, "red") if proof.faults else (TICK, "green")
    start = Text(f"{sign} {proof.lesson.number:>2}  ", style=colour)
    print_paragraph(console, start, f"{proof.lesson.slug}  {_counted([proof])}")
    for fault in proof.faults:
        print_text(console, f"      {fault}".replace("\n", "\n        "))


def _counted(proofs: list[VerifyReport]) -> str:
    text = f"mistakes: {sum(proof.mistakes for proof in proofs)}"
    if mutants := sum(proof.mutants for proof in proofs):
        equivalent = sum(proof.equivalent for proof in proofs)
        text += f", mutants: {mutants} (equivalent: {equivalent})"
    return text
