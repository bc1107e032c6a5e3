"""Plays conversations for a page, and answers its scripts with JSON.

They are what the clients of the page do, comparisons, conversations of a verdict, and steps of a
link or a text. The code that plays is on this computer's disk: a link carries steps and the name of
a target only.

A conversation runs in a child process, and its view in a thread, as every sync view does under
ASGI. So neither the server's loop nor the thread of the sync consumers waits for it.
"""

import json
from dataclasses import replace

from django.views.decorators.http import require_POST, require_safe

from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import ACCOUNTS, Lesson
from lessons.workshop.course.lesson_text import names_in_transcripts
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.script.report import Report
from lessons.workshop.engine.script.steps import Step, parse_step, split_steps
from lessons.workshop.judge.study.code_comparison import beside_solution
from lessons.workshop.judge.study.compared_mistake import (
    compare_in_check,
    find_comparison,
    find_visible_difference,
    is_playable,
)
from lessons.workshop.judge.study.recordings import (
    NotPlayed,
    Recording,
    play_as_judged,
    record,
)
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.member import membership
from lessons.workshop.page.exercise.exercise_state import finding_json
from lessons.workshop.page.json_answers import Refused, json_for_own_page
from lessons.workshop.page.live.event_forwarder import event_json
from lessons.workshop.page.markup import highlight_python, source_json
from lessons.workshop.page.step_words import conversation_json
from lessons.workshop.page.targets import EXAMPLE, check_target, target_source
from lessons.workshop.student import progress


def recording_json(recording: Recording, clients: dict | None = None) -> dict:
    """The recording as the page gets it: each event with its text. See Recording.as_json()."""
    events = [event_json(event) for event in recording.events]
    return {**recording.as_json(clients), "events": events}


# What the clients of the page do


@require_POST
@json_for_own_page
def conversation(request, lesson: Lesson) -> dict:
    """`{"recording", "marks", "finding"}`: the form's `steps`, played with its target.

    The steps are JSON: each is `{"client", "action", "arguments"}`, or the text of a step as
    `{"step"}`. A mark is what happens outside of the connections, and when.
    """
    target = request.POST.get("target", "")
    check_target(lesson, target)
    try:
        steps = [*map(_step_of_page, json.loads(request.POST.get("steps", "")))]
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("These are not steps.") from None
    before = _steps_before(lesson, steps)
    try:
        report = play_as_judged(lesson, target, [*before, *steps])
    except NotPlayed as failure:
        if not failure.finding:
            raise
        report = Report(leftovers=(failure.finding,))
    faults = [fault.finding for burst in report.bursts for fault in burst.faults]
    finding = next(filter(None, [*faults, *report.leftovers, report.stuck]), None)
    recording, clients = _played_so_far(report)
    return {
        "recording": recording_json(recording, clients),
        "marks": [*_marks(report, len(before))],
        "finding": finding and finding_json(finding),
    }


def _step_of_page(step: dict) -> str:
    return str(parse_step(step["step"]) if "step" in step else Step(**step))


def _steps_before(lesson: Lesson, steps: list[str]) -> list[str]:
    """What the workshop has before the first client comes: the lesson's rows, and its accounts."""
    accounts = [
        f"account {name} {json.dumps(fields)}"
        for name, fields in ACCOUNTS.items()
        if fields and any(name in step for step in steps)
    ]
    return [*lesson.rows, *accounts]


def _played_so_far(report: Report) -> tuple[Recording, dict[str, int | str]]:
    """The recording without the end, at which the player cancels all, and each connection's client.

    A connection without a client is that of a worker.
    """
    caused = [pair for burst in report.bursts for pair in burst.events]
    clients = {event.connection: number for number, event in caused}
    known = {(event.connection, event.seq) for _, event in caused}
    events = [
        event
        for event in report.events
        if report.stuck or event.connection not in clients or (event.connection, event.seq) in known
    ]
    names = {event.connection: clients.get(event.connection, "worker") for event in events}
    return replace(Recording.of(report), events=tuple(events)), names


def _marks(report: Report, first: int):
    """What the steps that no client takes have caused, from the burst `first` on."""
    time = 0.0
    for number, burst in enumerate(report.bursts):
        step, answer = parse_step(burst.steps[0]), burst.answers[0]
        if number >= first and (step.client is None or step.action == "wait"):
            said = f": {' '.join(map(str, *answer.items()))}" if isinstance(answer, dict) else ""
            text = f"{step.arguments['seconds']:g} s later" if step.action == "wait" else str(step)
            yield {"time": time, "text": f"{text}{said}"}
        time = max([time, *(event.time for _, event in burst.events)])


# Comparisons


@require_safe
@json_for_own_page
def comparison(request, lesson: Lesson) -> dict:
    """A mistake beside the solution: in a conversation of the lesson, else in one of the check.

    `code` is as beside_solution() writes it. It gives the solution away, so it is null while the
    student may not read it. An instructor always gets it.
    """
    name, mistakes = request.GET.get("mistake", ""), read_mistakes(lesson)
    mistake = next((one for one in mistakes if one.name == name), None)
    if mistake is None:
        raise Refused(f"Lesson {lesson.number} has no mistake {name!r}.")
    found = find_comparison(lesson, mistake) or compare_in_check(lesson, mistake)
    code = None
    if request.user.is_staff or membership.may_read_solution(lesson):
        code = beside_solution(lesson, lesson.mistakes, name, highlight_python)
    return {
        "diagnosis": finding_json(Finding(mistake.diagnosis)),
        "code": code,
        **conversation_json(found.steps),
        "claim": found.claim,
        "right": recording_json(found.right),
        "wrong": recording_json(found.wrong),
        "differs": found.difference and found.difference._asdict(),
    }


# Conversations of a verdict


@require_safe
@json_for_own_page
def judged(request, lesson: Lesson) -> dict:
    """The conversation of a claim in the last verdict, as failing_json(), and a title."""
    claim = request.GET.get("claim", "")
    outcomes = (progress.of(lesson).verdict or {}).get("outcomes", ())
    if claim.isdecimal() and int(claim) < len(outcomes):
        outcome = Outcome.from_json(outcomes[int(claim)])
        if outcome.transcript:
            finding = outcome.finding and diagnoses().get(outcome.finding.diagnosis)
            title = finding.title if finding else outcome.claim
            return {"title": title, **failing_json(lesson, outcome)}
    raise Refused("The last verdict holds no conversation of this claim. Save again.")


def failing_json(lesson: Lesson, outcome: Outcome) -> dict:
    """`{"steps", "words", "received", "expected", "differs"}` of an outcome of the verdict.

    `expected` is what the solution does in the same steps. It is null for a claim that is green, or
    that is not about one conversation.
    """
    steps = tuple(split_steps(outcome.finding.conversation)) if outcome.finding else ()
    received, expected = Recording(outcome.transcript), None
    if steps and is_playable(lesson):
        expected = record(lesson, "solution", steps)
    differs = expected and find_visible_difference(expected.events, received.events)
    return {
        **conversation_json(steps),
        "received": recording_json(received),
        "expected": expected and recording_json(expected),
        "differs": differs and differs._asdict(),
    }


# Steps of a link, of a text, or of an instructor's page


@require_safe
@json_for_own_page
def played_steps(request, lesson: Lesson) -> dict:
    """`{"steps", "words", "recording"}`: the steps of the query, played with its target.

    The target is "example", "exercise", "solution", "mistake:NAME", or a name in the lesson's
    transcripts.
    """
    target = request.GET.get("target", EXAMPLE)
    steps = request.GET.getlist("step")
    if not steps:
        raise Refused("There are no steps to play.")
    if target == EXAMPLE:
        target = lesson.demo
    elif target not in {lesson.demo, *names_in_transcripts(lesson)}:
        check_target(lesson, target, shows_code=False)
    told = conversation_json(steps)
    if target == "exercise":
        # A new recording each time: no cache knows when the student's file was saved.
        recording = Recording.of(play_as_judged(lesson, target, steps))
    else:
        recording = record(lesson, target, steps)
    return {**told, "recording": recording_json(recording)}


@require_safe
@json_for_own_page
def played_source(request, lesson: Lesson) -> dict:
    """The source of the target in the query, as source_json()."""
    return source_json(target_source(lesson, request.GET.get("target", EXAMPLE)))
