"""Plays steps that come with a link, or stand on an instructor's page.

The code that plays is on this computer's disk. A link carries steps and the name of a target only.
"""

from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.course.lesson_text import names_in_transcripts
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.judge.study.recordings import Recording, play_as_judged, record
from lessons.workshop.page.exercise_server.targets import EXAMPLE
from lessons.workshop.page.views.play_views import (
    RequestRejected,
    json_for_own_page,
    recording_json,
    requested_steps,
)


@require_safe
@json_for_own_page
def parsed_steps(request, lesson: Lesson) -> dict:
    """The steps of the query, each as text: `{"steps": ["connect", "text hello"]}`."""
    return {"steps": [str(step) for step in requested_steps(request.GET)]}


@require_safe
@json_for_own_page
def played_steps(request, lesson: Lesson) -> dict:
    """`{"target", "steps", "recording"}`: the steps of the query, played with its target.

    The target is "example", "exercise", "solution", "mistake:NAME", or a name in the lesson's
    transcripts.
    """
    target = request.GET.get("target", EXAMPLE)
    steps = [str(step) for step in requested_steps(request.GET)]
    if not steps:
        raise RequestRejected("There are no steps to play.")
    return {
        "target": target,
        "steps": steps,
        "recording": recording_json(_recording(lesson, target, steps)),
    }


def _recording(lesson: Lesson, target: str, steps: list[str]) -> Recording:
    if target in (EXAMPLE, lesson.demo):
        return record(lesson, lesson.demo, steps)
    if target == "exercise" and is_playable(lesson):
        return _played_exercise(lesson, steps)
    known = {"solution"} if is_playable(lesson) else set()
    known |= {f"mistake:{mistake.name}" for mistake in read_mistakes(lesson)}
    if target not in known | names_in_transcripts(lesson):
        raise RequestRejected(f"Lesson {lesson.number} has no {target!r} to play.")
    return record(lesson, target, steps)


def _played_exercise(lesson: Lesson, steps: list[str]) -> Recording:
    """A new recording each time: no cache knows when the student's file was saved."""
    if not lesson.exercise.is_file():
        raise RequestRejected("Your exercise does not exist yet. Open the step Do.")
    return Recording.of(play_as_judged(lesson, "exercise", steps))
