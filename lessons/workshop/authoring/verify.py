"""Verifies a lesson: its exercise is red, its solution green, each mistake has its own diagnosis.

It also checks that the texts are complete, that the transcripts are up to date, and that the
predictions can be played and answered.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import ndiff
from functools import partial
from pathlib import Path

from lessons.workshop.authoring.model_mutants import run_model_mutants
from lessons.workshop.authoring.mutant_runs import (
    outdated_reasons,
    reasons,
    run_demo_mutants,
    run_solution_mutants,
)
from lessons.workshop.authoring.promises import faults_of_promises
from lessons.workshop.authoring.submissions import InvalidTable, fault_of, read_submissions
from lessons.workshop.course.diagnoses import catalogue, message_of
from lessons.workshop.course.lesson_index import FILES, IncompleteLesson, Lesson
from lessons.workshop.course.lesson_text import (
    BLOCK,
    TextError,
    expanded_teach_page,
    expanded_text,
    kind_and_rest,
    split_chapters,
)
from lessons.workshop.course.mistakes import Mistake, read_mistakes
from lessons.workshop.course.source_code import UnknownName, find_source
from lessons.workshop.engine.recording.transcript import render
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.judge.claims import EXPLORATION
from lessons.workshop.judge.runner import judge
from lessons.workshop.judge.study.predictions import (
    InvalidPrediction,
    Played,
    Prediction,
    predictions,
)
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS, Recording, events_of, playable
from lessons.workshop.judge.verdict import explain

TEXTS = ("lesson.md", "teach.md")  # whose transcripts are recorded
MAX_WORDS = 700  # of a lesson's prose
MAX_WORDS_OF_TASK = 150  # of the exercise's docstring
MAX_NEW_LINES = 25  # of the solution, against the exercise
MAX_BITES = 3  # what hits every reader; the rest belongs to NOTES.md
LAST_SECTIONS = ["Do it", "Where it bites"]  # the text before them has headings of its own
MAX_WORDS_OF_TEACH_PAGE = 500
SECTIONS_OF_TEACH_PAGE = ["Plan", "Show", "Ask", "Usual mistakes", "Cut"]
MIN_PREDICTIONS, MAX_PREDICTIONS = 2, 4  # of a lesson
MIN_CARDS, MAX_CARDS = 3, 12  # events to put in order
LESSON_ERRORS = (IncompleteLesson, TextError, *PLAYBACK_ERRORS)  # each is a fault of the lesson
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_PLAN_ROW = re.compile(r"^\| *(\d+) *\|", re.MULTILINE)


@dataclass
class VerifyReport:
    """The faults of a lesson, and how many mistakes, submissions and mutants were judged."""

    lesson: Lesson
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def verify_lesson(lesson: Lesson, mutants: bool = False) -> VerifyReport:
    """Check everything that a lesson promises; with `mutants`, machine-made mistakes too."""
    report = VerifyReport(lesson)
    try:
        report.faults += _missing_parts(lesson)
        if not report.faults:
            for faults_of in _PARTS:
                report.faults += faults_of(lesson)
            _verify_verdicts(report, mutants)
    except LESSON_ERRORS as error:
        report.faults.append(str(error))
    return report


def _missing_parts(lesson: Lesson) -> list[str]:
    """The parts without which nothing else can be checked."""
    faults = [f"{name} is missing" for name in FILES if not lesson.path_to(name).is_file()]
    if faults:
        return faults
    if not lesson.tests.is_file():
        faults.append(f"{lesson.tests} is missing")
    try:
        find_source(lesson.demo)
    except UnknownName as error:
        faults.append(f"the worked example {lesson.demo} does not exist: {error}")
    return faults


def _unfinished_parts(lesson: Lesson) -> Iterator[str]:
    for file in (*map(lesson.path_to, FILES), lesson.tests):
        if file != lesson.original and "TODO" in file.read_text(encoding="utf-8"):
            yield f"{file.name} has a TODO"
    if len(lesson.hints) != 3:
        yield f"hints.md has {len(lesson.hints)} hints; write 3"


def _faults_of_text(lesson: Lesson) -> Iterator[str]:
    wish, *sections = split_chapters(lesson.text)
    if not wish.partition("\n")[2].strip():
        yield "lesson.md begins with a heading; write first what goes wrong"
    if sections and (bites := len(re.findall("^- ", sections[-1], re.MULTILINE))) > MAX_BITES:
        yield f"lesson.md has {bites} bites; write at most {MAX_BITES}"
    if (last := _SECTION.findall(lesson.text)[-2:]) != LAST_SECTIONS:
        yield f"lesson.md ends with the sections {last}; write {LAST_SECTIONS}"
    yield from _faults_of_length("lesson.md", lesson.text, MAX_WORDS)
    if not lesson.goal.endswith("."):
        yield "`goal:` is not a sentence"
    if later := [one.slug for one in lesson.needs if one.number >= lesson.number]:
        yield f"`needs:` names lessons that are not earlier: {', '.join(later)}"


def _faults_of_length(name: str, text: str, max_words: int) -> Iterator[str]:
    if (words := len(BLOCK.sub("", text).split())) > max_words:
        yield f"{name} has {words} words of prose; write at most {max_words}"


def _faults_of_teach_page(lesson: Lesson) -> Iterator[str]:
    text = expanded_teach_page(lesson)
    source = _text_of(lesson, lesson.teach_page.name)
    yield from _faults_of_length("teach.md", source, MAX_WORDS_OF_TEACH_PAGE)
    if (sections := _SECTION.findall(source)) != SECTIONS_OF_TEACH_PAGE:
        yield f"teach.md has the sections {sections}; write {SECTIONS_OF_TEACH_PAGE}"
    if text.partition("\n")[0] != f"# Teach: {lesson.title}":
        yield f"teach.md must begin with `# Teach: {lesson.title}`"
    parts = dict(zip(SECTIONS_OF_TEACH_PAGE, _SECTION.split(text)[2::2], strict=False))
    if (minutes := sum(map(int, _PLAN_ROW.findall(parts.get("Plan", ""))))) != lesson.minutes:
        yield f"the plan in teach.md takes {minutes} minutes, the lesson {lesson.minutes}"
    named = re.findall(r"^- `(\w+)`", parts.get("Usual mistakes", ""), re.MULTILINE)
    if unknown := set(named) - {mistake.name for mistake in read_mistakes(lesson)}:
        yield f"teach.md names unknown mistakes: {', '.join(sorted(unknown))}"
    if not named:
        yield "teach.md names no usual mistake"


def _outdated_transcripts(lesson: Lesson) -> Iterator[str]:
    expanded_text(lesson)  # raises for a block that names nothing
    for name in TEXTS:
        if text_with_new_transcripts(lesson, name) != _text_of(lesson, name):
            yield f"a transcript in {name} differs from what is recorded: run verify --update"


def update_transcripts(lesson: Lesson) -> None:
    """Record the transcripts in lesson.md and teach.md again, if the lesson has what they show."""
    if not _missing_parts(lesson):
        for name in TEXTS:
            text = text_with_new_transcripts(lesson, name)
            lesson.path_to(name).write_text(text, encoding="utf-8")


def text_with_new_transcripts(lesson: Lesson, file_name: str) -> str:
    """The whole of lesson.md or teach.md, with every transcript recorded again."""

    def recorded(block: re.Match) -> str:
        kind, rest = kind_and_rest(block)
        if kind != "transcript":
            return block[0]
        name, *steps = split_steps(rest)
        events = events_of(playable(lesson, name), steps)
        return f"```{block['info']}\n{render(events, waits=True)}\n```"

    return BLOCK.sub(recorded, _text_of(lesson, file_name))


def _text_of(lesson: Lesson, file_name: str) -> str:
    return lesson.path_to(file_name).read_text(encoding="utf-8")


def faults_of_predictions(lesson: Lesson) -> Iterator[str]:
    """A prediction must be playable, and its answer must be certain."""
    try:
        found = predictions(lesson)
    except InvalidPrediction as error:
        yield str(error)
        return
    if not MIN_PREDICTIONS <= len(found) <= MAX_PREDICTIONS:
        wanted = f"{MIN_PREDICTIONS} to {MAX_PREDICTIONS}"
        yield f"predict.toml has {len(found)} predictions; write {wanted}"
    for number, prediction in enumerate(found, start=1):
        try:
            for fault in _faults_of_prediction(lesson, prediction):
                yield f"prediction {number}: {fault}"
        except PLAYBACK_ERRORS as error:
            yield f"prediction {number}: cannot be played: {error}"


def faults_of_task(lesson: Lesson) -> Iterator[str]:
    """What makes the task longer than a student should read or write."""
    task = ast.get_docstring(ast.parse(lesson.original.read_bytes())) or ""
    if (words := len(task.split())) > MAX_WORDS_OF_TASK:
        limit = f"write at most {MAX_WORDS_OF_TASK}"
        yield f"the docstring of exercise.py has {words} words; {limit}"
    exercise, solution = map(_lines_of_code, (lesson.original, lesson.solution))
    if (new := sum(it[0] == "+" for it in ndiff(exercise, solution))) > MAX_NEW_LINES:
        yield f"solution.py has {new} new lines; write at most {MAX_NEW_LINES}"


def _lines_of_code(file: Path) -> list[str]:
    """The lines below the docstring, without blank ones and without their indentation."""
    text = file.read_text(encoding="utf-8")
    first = ast.parse(text).body[0]
    begins = first.end_lineno if isinstance(first, ast.Expr) else 0
    return [line.strip() for line in text.splitlines()[begins:] if line.strip()]


def _faults_of_prediction(lesson: Lesson, prediction: Prediction) -> Iterator[str]:
    # Played twice, without the cache: an answer that differs between two runs cannot be predicted.
    name = prediction.consumer(lesson)
    steps = list(prediction.steps)
    one, other = (
        Played(prediction, Recording(events_of(playable(lesson, name), steps))) for _ in range(2)
    )
    labels = [[card.label for card in each.cards] for each in (one, other)]
    if labels[0] != labels[1] or one.received_frames != other.received_frames:
        yield "the answer differs from run to run"
    if real := one.all_labels & set(prediction.decoys):
        yield f"a decoy does happen: {', '.join(sorted(real))}"
    rows = one.cards
    count, pairs = sum(it.event is not None for it in rows), len(rows) * len(one.clients)
    if prediction.kind == "order":
        if not MIN_CARDS <= count <= MAX_CARDS:
            yield f"has {count} events to put in order; ask for {MIN_CARDS} to {MAX_CARDS}"
    elif pairs < 2:
        yield "needs at least two frames or two clients"
    elif not 0 < len(one.received_frames) < pairs:
        yield (
            "every client receives every frame, or none: add a decoy, or a client that receives "
            "nothing"
        )


_PARTS = (
    *(_unfinished_parts, _faults_of_text, _faults_of_teach_page, _outdated_transcripts),
    *(faults_of_task, faults_of_promises, faults_of_predictions),
)


def _verify_verdicts(report: VerifyReport, mutants: bool) -> None:
    lesson = report.lesson
    # A mistake must be red with its diagnosis first. Only mutants need to know each red claim.
    stops_at_red = not mutants
    can_fail = _verify_exercise(report, stops_at_red)
    solution = judge(lesson, "solution")
    if not solution.green:
        report.faults.append(f"the solution is red:\n{explain(solution)}")
        return
    for outcome in solution.outcomes:
        if outcome.claim == outcome.name:
            report.faults.append(f"{outcome.name} has no docstring")
    for mistake in read_mistakes(lesson):
        can_fail |= _verify_mistake(report, mistake, stops_at_red)
    if not report.counts["mistakes"]:
        report.faults.append("mistakes.py has no mistake")
    if mutants:
        claims = [outcome.name for outcome in solution.outcomes if outcome.name != EXPLORATION]
        run_mutants = partial(run_solution_mutants, stops_at_red=can_fail.issuperset(claims))
        can_fail |= _judge_mutants(report, "solution", run_mutants)
        _judge_mutants(report, "demo", run_demo_mutants)
        for name in claims:
            if name not in can_fail:
                report.faults.append(f"{name} is never red: no mistake and no mutant fails")


def _verify_exercise(report: VerifyReport, stops_at_red: bool) -> set[str]:
    lesson = report.lesson
    verdict = judge(lesson, str(lesson.original), stops_at_red=stops_at_red)
    if verdict.green:
        report.faults.append("the exercise is green before anything is changed")
    if verdict.problem:
        report.faults.append(f"the exercise does not run: {message_of(verdict.problem)}")
    if b"TODO" not in lesson.original.read_bytes():
        report.faults.append("exercise.py has no TODO")
    return _red_checks(verdict)


def _red_checks(verdict) -> set[str]:
    return {outcome.name for outcome in verdict.outcomes if outcome.state == "red"}


def _verify_mistake(report: VerifyReport, mistake: Mistake, stops_at_red: bool) -> set[str]:
    report.counts["mistakes"] += 1
    name, expected = mistake.name, mistake.diagnosis
    if expected not in catalogue():
        report.faults.append(f"{name} names a diagnosis that does not exist: {expected}")
    if not mistake.explanation:
        report.faults.append(f"{name} does not say what was misunderstood: write a docstring")
    verdict = judge(report.lesson, f"mistake:{name}", stops_at_red=stops_at_red)
    if verdict.green:
        report.faults.append(f"{name} is green")
    elif verdict.diagnosis_ids[:1] != [expected]:
        report.faults.append(f"{name} gets {verdict.diagnosis_ids} instead of {expected}")
    return _red_checks(verdict)


def verify_models(lesson: Lesson) -> VerifyReport:
    """Judge the mutants of the lesson's model. The report has those that nothing notices."""
    report = VerifyReport(lesson)
    _judge_mutants(report, "model", run_model_mutants)
    return report


def verify_submissions(lesson: Lesson) -> VerifyReport:
    """Judge all submissions of the lesson. The report has those with an unexpected verdict."""
    try:
        submissions = read_submissions(lesson)
    except InvalidTable as error:
        return VerifyReport(lesson, [str(error)])
    faults = filter(None, (fault_of(lesson, submission) for submission in submissions))
    return VerifyReport(lesson, [*faults], Counter(submissions=len(submissions)))


def _judge_mutants(report: VerifyReport, kind: str, run_mutants: Callable) -> set[str]:
    """Add the mutants that are not caught to the report. Returns the checks that caught one."""
    known, runs = reasons(report.lesson, kind), [*run_mutants(report.lesson)]
    for name in outdated_reasons(report.lesson, kind, (run.mutant for run in runs)):
        report.faults.append(f"equivalent_mutants.toml names an unknown mutant: {name}")
    for run in runs:
        where = f"{run.file.name}, line {run.mutant.line}: {run.mutant.name}\n{run.line}"
        has_reason = run.mutant.name in known
        if has_reason and run.caught:
            report.faults.append(f"a mutant is caught, but listed as equivalent: {where}")
        elif not has_reason and not run.caught:
            report.faults.append(f"a mutant is not caught: {where}")
    report.counts["mutants"] += len(runs)
    report.counts["equivalent"] += sum(run.mutant.name in known and not run.caught for run in runs)
    return {name for run in runs for name in run.caught_by}
