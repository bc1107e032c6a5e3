"""What a student does with an exercise: the file, a hint, the solution, the original exercise.

Each answer is JSON. What has changed, the page gets over its socket.

The file: GET answers `{"text", "digest", "path"}`. POST takes the fields `text` and `digest`, which
is the version that the page has read, and `overwrite` to replace a version of another editor. It
answers 200 with `{"digest"}`, 409 with `{"error", "text", "digest"}` if the file has another
version now, and 400 with `{"error"}` if nothing was saved.
"""

from django.views.decorators.http import require_http_methods, require_POST

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.member import membership
from lessons.workshop.page.exercise.exercise_file import read_file, save_file
from lessons.workshop.page.exercise.exercise_state import short_path
from lessons.workshop.page.json_answers import Refused, as_json
from lessons.workshop.student import exercise_copies, progress

_NOT_SAVED = "Your progress could not be saved. The server's log gives the reason."


@require_http_methods(["GET", "HEAD", "POST"])
@as_json
def exercise_file(request, lesson: Lesson) -> dict:
    """Read or save the student's file."""
    if request.method != "POST":
        return {**read_file(lesson), "path": short_path(lesson.exercise)}
    if not {"text", "digest"} <= request.POST.keys():
        raise Refused("The request lacks the text or its version, so nothing was saved.")
    overwrite = "overwrite" in request.POST
    return {"digest": save_file(lesson, request.POST["text"], request.POST["digest"], overwrite)}


@require_POST
@as_json
def hint(request, lesson: Lesson) -> dict:
    """Show one more hint. `lesson hint` counts them too."""
    if membership.is_held("hints"):
        raise Refused(membership.NOT_RELEASED)
    if progress.show_hint(lesson) != progress.of(lesson).hints:
        raise Refused(_NOT_SAVED)
    return {}


@require_POST
@as_json
def solution(request, lesson: Lesson) -> dict:
    """Show the solution of a lesson that is not green. The page offers this after the last hint."""
    if membership.is_held("solutions"):
        raise Refused(membership.NOT_RELEASED)
    if progress.show_solution(lesson) != progress.of(lesson):
        raise Refused(_NOT_SAVED)
    return {}


@require_POST
@as_json
def reset(request, lesson: Lesson) -> dict:
    """Restore the original exercise. The student's version is kept beside it."""
    exercise_copies.reset_exercise(lesson)
    return {}
