"""Plays conversations for a page, and answers its scripts with JSON.

They are comparisons, conversations of a verdict, and steps of a link or a text. The code that plays
is on this computer's disk: a link carries steps and the name of a target only.

A conversation runs in a child process, and its view in a thread, as every sync view does under
ASGI. So neither the server's loop nor the thread of the sync consumers waits for it.
"""

from functools import wraps

from django.http import Http404, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import names_in_transcripts
from lessons.workshop.course.mistakes import Mistake, read_mistakes
from lessons.workshop.course.source_code import Source
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.judge.study.code_comparison import beside_solution
from lessons.workshop.judge.study.compared_mistake import (
    compare_in_check,
    find_comparison,
    find_visible_difference,
    is_playable,
)
from lessons.workshop.judge.study.recordings import (
    PLAYBACK_ERRORS,
    Recording,
    play_as_judged,
    record,
)
from lessons.workshop.judge.verdict import Outcome
from lessons.workshop.member import membership
from lessons.workshop.page.exercise.exercise_state import finding_json, source_digest
from lessons.workshop.page.exercise_server.targets import EXAMPLE, target_source
from lessons.workshop.page.live.event_forwarder import event_json
from lessons.workshop.page.live.feed import belongs_to_session
from lessons.workshop.page.markup import highlight_python, source_lines
from lessons.workshop.page.step_words import conversation_json
from lessons.workshop.student import progress


class RequestRejected(ValueError):
    """A request for something that this page does not play. The text gives the reason."""


def json_for_own_page(view):
    """Answer only a page of the same session. An error becomes JSON with status 400.

    The request names the page by the id of its feed.
    """

    @wraps(view)
    @never_cache
    def answer(request, lesson: Lesson, **kwargs):
        if not belongs_to_session(request.GET.get("feed", ""), request.session.session_key):
            raise Http404("Only a page of the same session gets an answer.")
        try:
            return JsonResponse(view(request, lesson, **kwargs))
        except (ValueError, *PLAYBACK_ERRORS) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return answer


def recording_json(recording: Recording) -> dict:
    """The recording as the page gets it: each event with its text."""
    return {**recording.as_json(), "events": [event_json(event) for event in recording.events]}


# Comparisons


@require_safe
@json_for_own_page
def comparison(request, lesson: Lesson) -> dict:
    """A mistake beside the solution: in a conversation of the lesson, else in one of the check."""
    mistake = _mistake(lesson, request.GET.get("mistake", ""))
    found = find_comparison(lesson, mistake) or compare_in_check(lesson, mistake)
    return {
        "diagnosis": finding_json(Finding(mistake.diagnosis)),
        "code": _code_json(request, lesson, mistake),
        **conversation_json(found.steps),
        "claim": found.claim,
        "right": recording_json(found.right),
        "wrong": recording_json(found.wrong),
        "differs": found.difference and found.difference._asdict(),
    }


def _code_json(request, lesson: Lesson, mistake: Mistake) -> dict | None:
    """As beside_solution(). It gives the solution away: None while the student may not read it.

    An instructor always gets it.
    """
    if not (request.user.is_staff or membership.may_read_solution(lesson)):
        return None
    return beside_solution(lesson, lesson.mistakes, mistake.name, highlight_python)


def _mistake(lesson: Lesson, name: str) -> Mistake:
    for mistake in read_mistakes(lesson):
        if mistake.name == name:
            return mistake
    raise RequestRejected(f"Lesson {lesson.number} has no mistake {name!r}.")


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
    raise RequestRejected("The last verdict holds no conversation of this claim. Save again.")


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
        raise RequestRejected("There are no steps to play.")
    told = conversation_json(steps)
    return {**told, "recording": recording_json(_recording(lesson, target, steps))}


def _recording(lesson: Lesson, target: str, steps: list[str]) -> Recording:
    if target in (EXAMPLE, lesson.demo):
        return record(lesson, lesson.demo, steps)
    if target == "exercise" and is_playable(lesson):
        if not lesson.exercise.is_file():
            raise RequestRejected("Your exercise does not exist yet. Open the step Do.")
        # A new recording each time: no cache knows when the student's file was saved.
        return Recording.of(play_as_judged(lesson, "exercise", steps))
    known = {"solution"} if is_playable(lesson) else set()
    known |= {f"mistake:{mistake.name}" for mistake in read_mistakes(lesson)}
    if target not in known | names_in_transcripts(lesson):
        raise RequestRejected(f"Lesson {lesson.number} has no {target!r} to play.")
    return record(lesson, target, steps)


@require_safe
@json_for_own_page
def played_source(request, lesson: Lesson) -> dict:
    """The source of the target in the query, as source_json()."""
    try:
        return source_json(target_source(lesson, request.GET.get("target", EXAMPLE)))
    except OSError as error:
        raise RequestRejected(f"The file cannot be read: {error.strerror}.") from None


def source_json(source: Source) -> dict:
    """`{"place", "lines": [{"number", "method", "html"}], "digest"}`."""
    return {
        "place": source.place,
        "lines": source_lines(source),
        "digest": source_digest(source),
    }
