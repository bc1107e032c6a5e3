"""Groups the mistakes of a class: what was not understood, by which students, and what helps."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lessons.workshop.course.diagnoses import Diagnosis, diagnosis
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.mistakes import Mistake, read_mistakes
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.grading.grading import Grade
from lessons.workshop.judge.study.code_comparison import aligned_rows, read_parts
from lessons.workshop.judge.verdict import Outcome

MAX_LINES = 400  # of a class that is compared: the comparison takes the square of their number
_USUAL_MISTAKES = re.compile(r"^## Usual mistakes\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"^- `(\w+)`:? *(.*?)(?=^- |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class ClassMistake:
    """A diagnosis that is the first one of some submissions for a lesson.

    `judged` is the number of all submissions for this lesson that have a verdict.
    """

    lesson: Lesson
    diagnosis: Diagnosis
    grades: tuple[Grade, ...]
    judged: int

    @property
    def headline(self) -> str:
        return f"{len(self.grades)} of {self.judged}: {self.diagnosis.title}"

    @property
    def students(self) -> list[str]:
        return [grade.submission.student for grade in self.grades]

    @cached_property
    def example(self) -> tuple[Grade, Finding, Outcome | None]:
        """The submission that shows the mistake with the fewest steps."""
        examples = [
            (grade, finding, outcome)
            for grade in self.grades
            for finding, outcome in _findings(grade)
            if finding.diagnosis == self.diagnosis.id
        ]
        return min(examples, key=lambda example: _length(example[1]))

    @property
    def conversation(self) -> str:
        """The shortest conversation that fails: its steps, or "" if the code does not run."""
        return self.example[1].conversation

    @property
    def transcript(self) -> str:
        """The events of that conversation, as text."""
        outcome = self.example[2]
        return render(outcome.transcript) if outcome else ""

    @cached_property
    def rows(self) -> list[dict]:
        """The solution beside the example's code, as aligned_rows(); none if it cannot be read."""
        lesson, file = self.lesson, self.example[0].submission.file
        try:
            right = read_parts(lesson.solution, lesson.exercise_name)
            wrong = read_parts(file, lesson.exercise_name)
        except (OSError, SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
            return []
        if sum(len(part.lines) for part in wrong) > MAX_LINES:
            return []
        return aligned_rows(right, wrong)

    @property
    def known(self) -> list[Mistake]:
        """The mistakes of the course that get this diagnosis."""
        return [one for one in read_mistakes(self.lesson) if one.diagnosis == self.diagnosis.id]

    @property
    def notes(self) -> list[str]:
        """What the instructor's page of the lesson says about these mistakes, as Markdown."""
        notes = teaching_notes(self.lesson)
        return [notes[one.name] for one in self.known if one.name in notes]


def class_mistakes(grades: Sequence[Grade]) -> list[ClassMistake]:
    """The mistakes of all lessons, the most frequent ones of each lesson first."""
    judged: dict[Lesson, int] = defaultdict(int)
    groups: dict[tuple[Lesson, str], list[Grade]] = defaultdict(list)
    for grade in grades:
        judged[grade.submission.lesson] += grade.is_judged
        if grade.diagnosis:
            groups[grade.submission.lesson, grade.diagnosis].append(grade)
    found = [
        ClassMistake(lesson, diagnosis(name), tuple(group), judged[lesson])
        for (lesson, name), group in groups.items()
    ]
    return sorted(found, key=lambda it: (it.lesson.number, -len(it.grades), it.diagnosis.id))


def teaching_notes(lesson: Lesson) -> dict[str, str]:
    """The notes of teach.md about usual mistakes, by the name of the mistake."""
    try:
        text = lesson.teach_page.read_text(encoding="utf-8")
    except OSError:
        return {}
    found = _USUAL_MISTAKES.search(text)
    notes = _NOTE.findall(found[1]) if found else []
    return {name: " ".join(note.split()) for name, note in notes}


def _findings(grade: Grade):
    """The findings of a verdict, each with its outcome; what stops the loading has none."""
    if grade.verdict is None:
        return
    if grade.verdict.problem:
        yield grade.verdict.problem, None
    yield from ((one.finding, one) for one in grade.verdict.outcomes if one.finding)


def _length(finding: Finding) -> tuple:
    """A conversation is better than none, and a short one better than a long one."""
    steps = split_steps(finding.conversation) if finding.conversation else []
    return not steps, len(steps), len(finding.conversation)
