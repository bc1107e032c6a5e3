"""Reads and saves the student's file for the page's editor, as JSON.

GET answers `{"text", "digest", "path"}`. POST takes the fields `text` and `digest`, which is the
version that the page has read, and `overwrite` to replace a version of another editor. It answers
200 with `{"digest"}`, 409 with `{"error", "text", "digest"}` if the file has another version now,
and 400 with `{"error"}` if nothing was saved.
"""

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.page.exercise.exercise_file import (
    InvalidText,
    SavedElsewhere,
    UnreadableFile,
    read_file,
    save_file,
)
from lessons.workshop.page.exercise.exercise_panel import short_path
from lessons.workshop.page.views.exercise_views import in_workshop
from lessons.workshop.setup.atomic_write import explain_os_error


@require_http_methods(["GET", "HEAD", "POST"])
@in_workshop
def exercise_file(request, lesson: Lesson):
    """Read or save the student's file."""
    try:
        return _save(request, lesson) if request.method == "POST" else _read(lesson)
    except SavedElsewhere as error:
        now = {"text": error.version.text, "digest": error.version.digest}
        return JsonResponse({"error": str(error), **now}, status=409)
    except (InvalidText, UnreadableFile) as error:
        return JsonResponse({"error": str(error)}, status=400)
    except OSError as error:
        return JsonResponse({"error": explain_os_error(error)}, status=400)


def _read(lesson: Lesson) -> JsonResponse:
    found = read_file(lesson)
    answer = {"text": found.text, "digest": found.digest, "path": short_path(lesson.exercise)}
    return JsonResponse(answer)


def _save(request, lesson: Lesson) -> JsonResponse:
    if not {"text", "digest"} <= request.POST.keys():
        raise InvalidText("The request lacks the text or its version, so nothing was saved.")
    overwrite = "overwrite" in request.POST
    saved = save_file(lesson, request.POST["text"], request.POST["digest"], overwrite)
    return JsonResponse({"digest": saved.digest})
