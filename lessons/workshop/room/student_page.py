"""A student's page of one lesson: the code, what the workshop reported, and "Judge it again"."""

import re

from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST, require_safe

from lessons.workshop.course.lesson_index import Lesson, lessons
from lessons.workshop.page.markup import highlight_code, inline_code_to_html
from lessons.workshop.room import rejudge
from lessons.workshop.room.models import Student
from lessons.workshop.room.views import for_instructors

MAX_LINES, MAX_LENGTH = 1_500, 500  # of code, characters of a line


@for_instructors
@require_safe
def student_page(request, student_id: int, lesson: Lesson | None = None):
    student = get_object_or_404(Student.objects.select_related("school_class"), pk=student_id)
    standings = {one.lesson: one for one in student.standings.all()}
    standing = lesson and standings.get(lesson.slug)
    context = {
        "student": student,
        "class": student.school_class,
        "lesson": lesson,
        "lessons": [(it, standings[it.slug].state) for it in lessons() if it.slug in standings],
        "standing": standing,
        "claims": [
            (one["state"], inline_code_to_html(one["claim"]))
            for one in (standing.claims if standing else ())
        ],
        "code": code_lines(standing.code) if standing and standing.code else None,
    }
    return render(request, "room/student.html", context)


@for_instructors
@require_POST
def judge_again(request, student_id: int, lesson: Lesson):
    """The verdict of this machine on the code that the student shares."""
    student = get_object_or_404(Student, pk=student_id)
    standing = student.standings.filter(lesson=lesson.slug, code__isnull=False).first()
    if standing is None:
        return JsonResponse({"error": "The student has not shared any code."}, status=409)
    answer = rejudge.judge_again(lesson, standing.code)
    return JsonResponse({"claimed": standing.state, "answer": answer})


def code_lines(code: str) -> list[SafeString]:
    """The lines of `code` as HTML, with the colours of the course's pages. Long code is cut."""
    lines = [_readable(line) for line in re.split("\r\n|\r|\n", code)[:MAX_LINES]]
    return [mark_safe(line) for line in highlight_code("\n".join(lines), "python").split("\n")]


def _readable(line: str) -> str:
    """The line with an escape for each character that is invisible or changes the direction."""
    return "".join(
        one if one == "\t" or one.isprintable() else ascii(one)[1:-1] for one in line[:MAX_LENGTH]
    )
