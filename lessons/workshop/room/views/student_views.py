"""A student's page of one lesson: the code, what the workshop reported, and "Judge it again"."""

from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import Lesson, UnknownLesson
from lessons.workshop.page.markup import inline_code_to_html
from lessons.workshop.room.models import Report, Student
from lessons.workshop.room.store.board_rows import shown_state
from lessons.workshop.room.store.reports import KEPT_REPORTS
from lessons.workshop.room.views.board_views import for_instructors
from lessons.workshop.room.views.code_lines import code_lines
from lessons.workshop.room.worker.rejudge import DONE, Job, QueueFull, queue

MAX_CLAIMS = 40
MAX_TEXT = 2_000  # characters of a text that a student's machine has sent
STATES = ("green", "red", "not run")


@for_instructors
@require_safe
def student_page(request, student_id: int, slug: str):
    student = get_object_or_404(Student.objects.select_related("school_class"), pk=student_id)
    lesson = _lesson(slug) if slug != "none" else None
    standings = {one.lesson: one for one in student.standings.all()}
    context = {
        "student": student,
        "class": student.school_class,
        "lesson": lesson,
        "lessons": [
            (one, shown_state(standings[one.slug]))
            for one in lesson_index.lessons()
            if one.slug in standings
        ],
    }
    if lesson:
        context |= _reports(student, lesson)
    return render(request, "room/student.html", context)


@for_instructors
@require_http_methods(["GET", "HEAD", "POST"])
def judge_again(request, student_id: int, slug: str):
    """POST asks for a verdict on the last code that the student shared. GET says how far it is."""
    student = get_object_or_404(Student, pk=student_id)
    lesson = _lesson(slug)
    shared = _shared_code(student, lesson)
    if shared is None:
        return JsonResponse({"error": "The student has not shared any code."}, status=409)
    try:
        is_new = request.method == "POST"
        job = queue.ask(lesson, shared.code) if is_new else queue.find(lesson, shared.code)
    except QueueFull as error:
        return JsonResponse({"error": str(error)}, status=429)
    return JsonResponse(_job_json(job, shared) if job else {"state": "none"})


def _job_json(job: Job, shared: Report) -> dict:
    """`{"state", "claimed", "answer"}`; the claims of the answer as HTML."""
    if job.state != DONE:
        return {"state": job.state}
    outcomes = [
        {**one, "claim": inline_code_to_html(one["claim"])}
        for one in job.answer.get("outcomes", ())
    ]
    answer = {**job.answer, "outcomes": outcomes}
    return {"state": DONE, "claimed": shared.state, "answer": answer}


def _lesson(slug: str) -> Lesson:
    try:
        return lesson_index.find(slug)
    except UnknownLesson as error:
        raise Http404(str(error)) from None


def _shared_code(student: Student, lesson: Lesson) -> Report | None:
    """The last report with code."""
    reports = student.reports.filter(lesson=lesson.slug, code__isnull=False)
    return reports.order_by("-pk").first()


def _reports(student: Student, lesson: Lesson) -> dict:
    reports = student.reports.filter(lesson=lesson.slug).order_by("-pk").defer("code")
    history = list(reports[:KEPT_REPORTS])
    shared = _shared_code(student, lesson)
    return {
        "latest": history[0] if history else None,
        "claimed": claimed_verdict(history[0].verdict) if history else None,
        "history": [(one, claimed_verdict(one.verdict).get("title", "")) for one in history],
        "is_cut": len(history) == KEPT_REPORTS,
        "shared": shared,
        "is_old": shared is not None and shared.pk != history[0].pk,
        "code": code_lines(shared.code) if shared else None,
        "file": f"{lesson.folder.name}.py",
    }


def claimed_verdict(verdict) -> dict:
    """What the page shows of a verdict that a student's machine claims: any JSON object, or None.

    `{"outcomes": [{"claim", "state"}], "title", "message", "detail"}`, all of them texts.
    """
    verdict = verdict if isinstance(verdict, dict) else {}
    found = verdict.get("outcomes")
    outcomes = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    findings = [verdict.get("problem"), *(one.get("finding") for one in outcomes)]
    finding = next((one for one in findings if isinstance(one, dict)), {})
    known = diagnoses().get(_text(finding.get("diagnosis")))
    return {
        "outcomes": [
            {"claim": inline_code_to_html(_text(one.get("claim"))), "state": one.get("state")}
            for one in outcomes[:MAX_CLAIMS]
            if one.get("state") in STATES
        ],
        "title": known.title if known else _text(finding.get("message")),
        "message": _text(finding.get("message")) if known else "",
        "detail": _text(finding.get("detail")),
    }


def _text(value) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""
