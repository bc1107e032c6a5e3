"""The instructor's pages: the classes, the board of a class, and what its scripts ask for."""

import io
import time
import zipfile
from functools import wraps

from asgiref.sync import async_to_sync
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from lessons.workshop.course import lesson_index
from lessons.workshop.course.diagnoses import catalogue as diagnoses
from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.room.export import export_files
from lessons.workshop.room.groups import announce
from lessons.workshop.room.models import Class, Poll
from lessons.workshop.room.store import class_state
from lessons.workshop.room.store.board_actions import Change
from lessons.workshop.room.store.classes import KEPT_FOR, InvalidClassName, add_class, delete_class
from lessons.workshop.room.views.course import course_json
from lessons.workshop.room.worker.orders import WorkerFailed, read_question

FILTERS = (
    ("all", "All"),
    ("stuck", "Stuck"),
    ("hands", "Hands"),
    ("red", "Red"),
    ("green", "Green"),
    ("away", "Offline"),
)


def for_instructors(view):
    """Let only staff accounts use the view. Others log in first, or get 403."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("room_log_in"))
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return with_csp(never_cache(guarded))


@for_instructors
@require_http_methods(["GET", "HEAD", "POST"])
def classes(request):
    """The list of classes. POST creates one, and opens its board."""
    context = {}
    if request.method == "POST":
        name, pseudonyms = request.POST.get("name", ""), "pseudonyms" in request.POST
        try:
            return redirect("room_board", add_class(name, pseudonyms).pk)
        except InvalidClassName as error:
            context = {"error": str(error), "name": name, "pseudonyms": pseudonyms}
    found = Class.objects.annotate(size=Count("students")).order_by("name")
    context |= {"classes": found, "days": KEPT_FOR.days}
    return render(request, "room/classes.html", context, status=400 if "error" in context else 200)


@for_instructors
@require_safe
def board(request, class_id: int):
    """The page of a board. Its script fills it from the socket."""
    found = get_object_or_404(Class, pk=class_id)
    context = {
        "class": found,
        "filters": FILTERS,
        "now": time.time(),
        "diagnoses": {one.id: one.title for one in diagnoses().values()},
        "student_page": reverse("room_student", args=[0, "none"]),
        "address": _address(request),
        "join_command": f"{MANAGE} workshop --join {_address(request)} {found.code} --name NAME",
    }
    return render(request, "room/board.html", context)


def _address(request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@for_instructors
@require_safe
def course(request):
    """What the dialogs of a board offer: mistakes, conversations and questions of each lesson."""
    return JsonResponse({"lessons": course_json()})


@for_instructors
@require_safe
def question(request, class_id: int):
    """The question of a poll, once its answer is shown with which of the votes are right."""
    number = request.GET.get("poll", "")
    poll = get_object_or_404(Poll, pk=number if number.isdecimal() else 0, school_class=class_id)
    shown = poll.state in ("shown", "ended")
    answers = {one for votes in class_state.rounds(poll) for one in votes} if shown else ()
    try:
        return JsonResponse(read_question(lesson_index.find(poll.lesson), poll.question, answers))
    except WorkerFailed as error:
        return JsonResponse({"error": str(error)}, status=503)


@for_instructors
@require_safe
def export(request, class_id: int):
    """A zip file with the tables of a class and one page for reading."""
    found = get_object_or_404(Class, pk=class_id)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in export_files(found).items():
            archive.writestr(name, text)
    name = slugify(found.name) or "class"
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return HttpResponse(packed.getvalue(), content_type="application/zip", headers=headers)


@for_instructors
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request, class_id: int):
    """Delete a class and all its data, once its name was typed."""
    found = get_object_or_404(Class, pk=class_id)
    context = {"class": found, "size": found.students.count()}
    if request.method == "POST":
        if " ".join(request.POST.get("name", "").split()) == found.name:
            delete_class(found)
            async_to_sync(announce)(class_id, Change(to_all=True, class_changed=True))
            return redirect("room_classes")
        context["error"] = "This is not the name of the class. Nothing was deleted."
    return render(request, "room/delete.html", context, status=400 if "error" in context else 200)
