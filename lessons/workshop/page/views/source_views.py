"""The source of what a lesson's page plays: its lines, and the method that contains each."""

from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.page.exercise.exercise_panel import source_digest
from lessons.workshop.page.exercise_server.targets import EXAMPLE, target_source
from lessons.workshop.page.markup import source_lines
from lessons.workshop.page.views.play_views import RequestRejected, json_for_own_page


@require_safe
@json_for_own_page
def played_source(request, lesson: Lesson) -> dict:
    """The source of the target in the query, by default the worked example."""
    try:
        source = target_source(lesson, request.GET.get("target", EXAMPLE))
        lines = source_lines(source)
    except OSError as error:
        raise RequestRejected(f"The file cannot be read: {error.strerror}.") from None
    return {
        "place": source.place,
        "lines": lines,
        "digest": source_digest(source),
    }
