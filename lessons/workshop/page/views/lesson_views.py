"""A page for each lesson."""

from django.conf import settings
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import (
    ACCOUNTS,
    ANONYMOUS,
    MANAGE,
    Lesson,
    UnknownLesson,
    find,
    lessons,
)
from lessons.workshop.course.lesson_text import (
    expanded_text,
    first_conversation,
    recorded_conversations,
)
from lessons.workshop.course.source_code import find_demo_source
from lessons.workshop.engine.script.steps import Step, UnknownStep, parse_step, split_steps
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.judge.study.predictions import InvalidPrediction, predictions
from lessons.workshop.page.exercise.exercise_panel import (
    exercise_context,
    source_digest,
)
from lessons.workshop.page.exercise.task import task_of
from lessons.workshop.page.lesson_list import is_optional, lesson_list_context
from lessons.workshop.page.live.page_socket import new_feed_id
from lessons.workshop.page.markup import source_lines
from lessons.workshop.page.views.csp import servers_of, with_csp
from lessons.workshop.page.views.drawings import text_to_html
from lessons.workshop.page.views.play_views import comparison_context
from lessons.workshop.page.views.prediction_views import question_context
from lessons.workshop.student import progress

OTHER_SITE = "http://evil.lessons.localhost:8666"  # the attacker's site of lesson 17


@require_safe
@with_csp
def lesson_page(request, key: str):
    """One lesson's page. A number or a slug redirects to it."""
    try:
        lesson = find(key)
    except UnknownLesson:
        context = {"key": key, **lesson_list_context(progress.read())}
        return render(request, "lessons/unknown_lesson.html", context, status=404)
    if key != lesson.key:
        return redirect("lesson", key=lesson.key)
    if not settings.WORKSHOP:
        return render(request, "lessons/public_lesson.html", _text_context(lesson))
    return render_lesson(request, lesson)


def render_lesson(request, lesson: Lesson, **more):
    """The workspace: the text, live clients and the exercise."""
    texts = _text_context(lesson)
    context = {
        **texts,
        "source_digest": source_digest(texts["source"]),
        "optional": is_optional(lesson),
        "feed": _feed_id(request),
        "servers": servers_of(request),
        "playable": is_playable(lesson),
        **_client_context(lesson),
        **comparison_context(lesson),
        "questions": (questions := question_context(lesson)),
        **(exercise := exercise_context(lesson)),
        "first_step": _first_step(exercise["state"], has_questions=bool(questions)),
        **more,
    }
    return render(request, "lessons/lesson.html", context)


def _text_context(lesson: Lesson) -> dict:
    """What there is to read: the text, the worked example, and the exercise's task."""
    source = find_demo_source(lesson.demo)
    return {
        "lesson": lesson,
        "text": text_to_html(_text_without_title(lesson), lesson.folder),
        "source": source,
        "lines": source_lines(source),
        "task": task_of(lesson),
        "manage": MANAGE,
        **_neighbours(lesson),
    }


def _feed_id(request) -> str:
    """An id for this page and this session. A first visit creates the session too."""
    if not request.session.session_key:
        request.session.create()
    return new_feed_id(request.session.session_key)


def _text_without_title(lesson: Lesson) -> str:
    """The lesson's Markdown. The page shows the title above its steps, and has pages for notes."""
    text = expanded_text(lesson).partition("\n")[2]
    return text.replace("](../../NOTES.md", f"]({reverse('notes')}")


def _first_step(state: str, has_questions: bool) -> str:
    """The step that the page shows first: a student who has begun goes on with the exercise."""
    if state == "red":
        return "do"
    return "predict" if state == "new" and has_questions else "see"


def _neighbours(lesson: Lesson) -> dict:
    course = lessons()
    here = course.index(lesson)
    return {
        "previous": course[here - 1] if here else None,
        "next": course[here + 1] if here + 1 < len(course) else None,
        "last_number": course[-1].number,
    }


def _client_context(lesson: Lesson) -> dict:
    """The clients that the page starts with, and the initial values of their forms."""
    origins = [client.origin for client in lesson.clients if client.origin]
    return {
        "clients": lesson.clients,
        "accounts": [ANONYMOUS, *ACCOUNTS],
        "other_sites": list(dict.fromkeys([*origins, OTHER_SITE])),
        "opening": _opening(lesson),
    }


def _opening(lesson: Lesson) -> dict:
    """The form's values: those of the text's first conversation with the worked example."""
    found = first_conversation(lesson)
    steps = [parse_step(step) for step in split_steps(found.steps)] if found else []
    if not lesson.path.startswith("/ws/"):
        request = steps[0] if steps else Step("GET")
        body = "".join(request.arguments.get("pieces", []))
        return {"path": lesson.path, "method": request.action, "body": body}
    words = next((step.arguments for step in steps if step.action == "connect"), {})
    texts = [
        step.arguments["text"]
        for step in [*steps, *_prediction_steps(lesson)]
        if step.action == "text"
    ]
    return {
        "path": lesson.path + (f"?{words['query']}" if "query" in words else ""),
        # `{token=ada}` is not a subprotocol: only a played conversation replaces it.
        "subprotocols": ", ".join(it for it in words.get("subprotocols", []) if "{" not in it),
        "payload": texts[0] if texts else "hello",
        "request": _opening_request(lesson),
    }


def _opening_request(lesson: Lesson) -> dict:
    """The same for a client that sends requests, and the paths of all requests in the texts."""
    played = recorded_conversations(lesson.text)
    steps = [parse_step(step) for one in played for step in split_steps(one.steps)]
    requests = [step for step in [*steps, *_prediction_steps(lesson)] if step.kind.is_request]
    paths = dict.fromkeys(step.arguments.get("path", lesson.path) for step in requests)
    first = requests[0] if requests else Step("GET")
    return {"path": next(iter(paths), lesson.path), "method": first.action, "paths": [*paths]}


def _prediction_steps(lesson: Lesson) -> list[Step]:
    """The steps of all predictions: the first conversation of some lessons sends no text."""
    try:
        return [parse_step(step) for one in predictions(lesson) for step in one.steps]
    except (InvalidPrediction, UnknownStep):
        return []  # `lesson verify` reports the reason
