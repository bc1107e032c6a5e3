"""The instructor's pages: the classes, the board of a class, and what its scripts ask for."""

import time
from functools import partial

from asgiref.sync import async_to_sync
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Count
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.defaults import page_not_found
from django.views.generic import CreateView

from lessons.workshop.course.lesson_index import MANAGE, Lesson, lessons
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.plans import optional_lessons, plans
from lessons.workshop.judge.study.compared_mistake import lesson_conversations
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.member.protocol import Refused
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.views import teach_views
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.room import actions
from lessons.workshop.room.consumers import tell_class
from lessons.workshop.room.export import as_csv
from lessons.workshop.room.models import KEPT_FOR, Class

for_instructors = partial(teach_views.for_instructors, login_url="room_log_in")
not_found = with_csp(partial(page_not_found, template_name="room/404.html"))


@method_decorator(for_instructors, "dispatch")
class Classes(CreateView):
    """The list of classes. POST creates one, and opens its board."""

    model, fields = Class, ["name"]
    template_name = "room/classes.html"

    def get_context_data(self, **more):
        found = Class.objects.annotate(size=Count("students")).order_by("name")
        return super().get_context_data(classes=found, days=KEPT_FOR.days, **more)


@for_instructors
@require_safe
def live_page(request, class_id: int, template: str):
    """The board, or the slide for the projector. Its script fills it from the socket.

    `page` is what store.js reads. In its URLs, scripts replace student 0 and slug none.
    """
    found = get_object_or_404(Class, pk=class_id)
    address = request.build_absolute_uri("/").rstrip("/")
    page = {
        "act": reverse("room_act", args=[class_id]),
        "student": reverse("room_student", args=[0, "none"]),
        "course": reverse("room_course", args=["none"]),
        "socket": f"/ws/room/board/{class_id}/",
        "now": time.time(),
        "lessons": _lessons(found.today),
    }
    context = {"class": found, "page": page, "address": address, "manage": MANAGE}
    return render(request, template, context)


def _lessons(today: dict | None) -> list[dict]:
    """`isChosen`: it is in today's plan or, without a plan, in the first plan of the course."""
    chosen = today["lessons"] if today else [one.slug for one in plans()[0].taught]
    optional = optional_lessons()
    return [
        {
            "slug": one.slug,
            "number": one.number,
            "title": one.title,
            "minutes": one.minutes,
            "isChosen": one.slug in chosen,
            "isOptional": one in optional,
        }
        for one in lessons()
    ]


@for_instructors
@require_POST
def act(request, class_id: int):
    """Do what the board asks for: see actions.Action."""
    try:
        actions.act(class_id, actions.from_form(request.POST))
    except Refused as error:
        return JsonResponse({"error": str(error)}, status=400)
    except ObjectDoesNotExist:
        return JsonResponse({"error": "The class or the student was deleted."}, status=404)
    async_to_sync(tell_class)(class_id)
    return JsonResponse({})


@for_instructors
@require_safe
def course(request, lesson: Lesson):
    """What a dialog of the board offers of a lesson: mistakes and conversations, or questions."""
    context = {
        "dialog": request.GET.get("dialog"),
        "mistakes": read_mistakes(lesson),
        "conversations": lesson_conversations(lesson),
        "questions": [(it.kind, markdown_to_html(it.question)) for it in predictions(lesson)],
    }
    return render(request, "room/choices.html", context)


@for_instructors
@require_safe
def export(request, class_id: int):
    """The table of a class, as a file."""
    found = get_object_or_404(Class, pk=class_id)
    name = slugify(found.name) or "class"
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8", headers=headers)


@for_instructors
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request, class_id: int):
    """Delete a class and all its data, once its name was typed."""
    found = get_object_or_404(Class, pk=class_id)
    context = {"class": found, "size": found.students.count()}
    if request.method == "POST":
        if request.POST.get("name", "").split() == found.name.split():
            found.delete()
            async_to_sync(tell_class)(class_id)
            return redirect("room_classes")
        context["error"] = "This is not the name of the class. Nothing was deleted."
    return render(request, "room/delete.html", context, status=400 if "error" in context else 200)
