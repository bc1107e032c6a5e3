"""A page for each lesson."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from lessons.workshop.course.lesson_index import ACCOUNTS, ANONYMOUS, MANAGE, Lesson, lessons
from lessons.workshop.course.lesson_text import expanded_text, recorded_conversations
from lessons.workshop.course.mistakes import read_mistakes
from lessons.workshop.course.source_code import find_demo_source
from lessons.workshop.engine.script.steps import split_steps
from lessons.workshop.engine.subject import read_python
from lessons.workshop.judge.study.compared_mistake import is_playable
from lessons.workshop.judge.study.predictions import Prediction, predictions
from lessons.workshop.page.exercise.exercise_state import exercise_json
from lessons.workshop.page.lesson_list import is_optional
from lessons.workshop.page.live.feed import new_feed_id
from lessons.workshop.page.markup import markdown_to_html, source_json
from lessons.workshop.page.step_words import conversation_json
from lessons.workshop.page.transcript_markup import LANES, parse_transcript
from lessons.workshop.page.views.csp import servers_of, with_csp
from lessons.workshop.page.views.drawings import text_to_html
from lessons.workshop.page.views.openings import openings
from lessons.workshop.page.views.prediction_views import question_context

OTHER_SITE = "http://evil.lessons.localhost:8666"  # the attacker's site of lesson 17


@require_safe
@with_csp
def lesson_page(request, lesson: Lesson):
    """One lesson's page. A number or a slug redirects to it."""
    if request.path != (url := reverse("lesson", args=[lesson.key])):
        return redirect(url)
    context = {
        "lesson": lesson,
        "optional": is_optional(lesson),
        "text": text_to_html(_text_without_title(lesson), lesson.folder),
        "task": _task(lesson),
        "manage": MANAGE,
        "state": _page_state(request, lesson),
        **_neighbours(lesson),
    }
    return render(request, "lessons/lesson.html", context)


def _page_state(request, lesson: Lesson) -> dict:
    """What the page's scripts begin with. The socket sends what changes later."""
    get_token(request)  # sets the cookie: the scripts send forms
    exercise, questions = exercise_json(lesson), predictions(lesson)
    return {
        "lesson": {
            "key": lesson.key,
            "number": lesson.number,
            "path": lesson.path,
            "outside": lesson.outside,
            "isHttp": not lesson.path.startswith("/ws/"),
            "isPlayable": is_playable(lesson),
            "lanes": _lanes(lesson, questions),
            "demo": lesson.demo.rpartition(".")[2],
            "exercise": lesson.exercise_name,
        },
        "base": reverse("lesson", args=[lesson.key]),
        "feed": _feed_id(request),
        "manage": MANAGE,
        "firstStep": _first_step(exercise["state"], has_questions=bool(questions)),
        "questions": question_context(questions),
        "tries": _tries(lesson),
        "clients": [asdict(client) for client in lesson.clients],
        "accounts": [ANONYMOUS, *ACCOUNTS],
        "sites": [*dict.fromkeys([*(it.origin for it in lesson.clients if it.origin), OTHER_SITE])],
        "servers": servers_of(request),
        "openings": openings(lesson, questions),
        "mistakes": [
            {"name": one.name, "title": one.title, "intro": one.explanation}
            for one in read_mistakes(lesson)
        ],
        "targets": [
            {"name": name, "title": title, "class": of_class}
            for name, title, of_class in _targets(lesson)
        ],
        "source": source_json(find_demo_source(lesson.demo)),
        "exercise": exercise,
    }


def _targets(lesson: Lesson) -> Iterator[tuple[str, str, str]]:
    """What the page can play, the worked example first: its name, its title, and its class."""
    yield "example", "the worked example", lesson.demo.rpartition(".")[2]
    if is_playable(lesson):
        yield "exercise", "your exercise", lesson.exercise_name
        yield "solution", "the solution", lesson.exercise_name
        for one in read_mistakes(lesson):
            yield f"mistake:{one.name}", f"a mistake: {one.title}", one.name


def _task(lesson: Lesson) -> dict:
    """The docstring of the original exercise. It begins with `Lesson 3: its title.`"""
    docstring = ast.get_docstring(ast.parse(read_python(lesson.original))) or ""
    first, _, text = docstring.partition("\n")
    return {"title": first.partition(": ")[2].rstrip("."), "html": markdown_to_html(text.strip())}


_OF_A_PAGE = ("connect", "GET", "POST", "text", "bytes", "close", "vanish")


def _tries(lesson: Lesson) -> list[dict]:
    """What a student can try in See: the conversations with the worked example in the text."""
    found = [one for one in recorded_conversations(lesson.text) if one.name == lesson.demo]
    told = [conversation_json(split_steps(one.steps)) for one in found]
    return [one for one in told if all(step["action"] in _OF_A_PAGE for step in one["steps"])]


def _lanes(lesson: Lesson, questions: Sequence[Prediction]) -> list[str]:
    """The lanes that the lesson is about: those of its transcripts and questions."""
    transcripts = [one.transcript for one in recorded_conversations(lesson.text)]
    found = {line["lane"] for text in transcripts for line in parse_transcript(text) or ()}
    found |= {"client", "consumer", *(lane for one in questions for lane in one.lanes)}
    return [lane for lane in LANES if lane in found]


def _feed_id(request) -> str:
    """An id for this page and this session. A first visit creates the session too."""
    if not request.session.session_key:
        request.session.create()
    return new_feed_id(request.session.session_key)


def _text_without_title(lesson: Lesson) -> str:
    """The lesson's Markdown. The page shows the title above its steps, and has pages for notes."""
    text = expanded_text(lesson).partition("\n")[2]
    text = text.replace("\n## Do it\n", "\n## [Do it](#do)\n")  # the exercise is in another step
    return text.replace("](../../NOTES.md", f"]({reverse('notes')}")


def _first_step(state: str, has_questions: bool) -> str:
    """The step that the page shows first: a student who has begun goes on with the exercise."""
    if state == "red":
        return "do"
    return "predict" if state == "new" and has_questions else "see"


def _neighbours(lesson: Lesson) -> dict:
    course = [None, *lessons(), None]
    here = course.index(lesson)
    return {"previous": course[here - 1], "next": course[here + 1]}
