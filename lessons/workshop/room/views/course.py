"""What the dialogs of a board offer of each lesson. It is read from files; nothing is played."""

from functools import lru_cache

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.judge.study.compared_mistake import lesson_conversations
from lessons.workshop.judge.study.mistakes import read_mistakes
from lessons.workshop.judge.study.predictions import predictions
from lessons.workshop.page.markup import markdown_to_html


@lru_cache(maxsize=1)
def course_json() -> list[dict]:
    """The mistakes, conversations and questions of each lesson, in the form of the dialogs."""
    return [
        {
            "slug": one.slug,
            "number": one.number,
            "title": one.title,
            "mistakes": [{"name": it.name, "title": it.title} for it in read_mistakes(one)],
            "conversations": [" | ".join(steps) for steps in lesson_conversations(one)],
            "questions": [
                {"kind": it.kind, "html": markdown_to_html(it.question), "steps": it.steps}
                for it in predictions(one)
            ],
        }
        for one in lessons()
    ]
