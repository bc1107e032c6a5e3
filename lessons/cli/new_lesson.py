"""`lesson new`: creates the files of a new lesson, and says what to do with them."""

import re

from django.conf import settings
from django.core.management.base import CommandError

from lessons.authoring import new_lesson
from lessons.cli.screen import print_text, short_path
from lessons.core import catalogue
from lessons.core.catalogue import MANAGE, Lesson

GUIDE = "lessons/course/README.md"
NEXT = """\
Created {folder}
and     {tests}

1. Write the worked example: class {name} in {app}/consumers.py
2. Route it: {path} in {app}/routing.py
3. See what is missing, as often as you like: {manage} lesson verify {slug} --update
4. Prove the example: {manage} test --lesson {slug}

{guide} explains each step."""


def create_lesson(console, slug: str, app: str) -> None:
    """Write the files of the next lesson, and say what to do with them."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise CommandError(
            f"{slug!r} is not a slug: use small letters, digits and _.", returncode=2
        )
    taken = {lesson.slug: lesson for lesson in catalogue.lessons()}
    if slug in taken:
        raise CommandError(
            f"There is a lesson {slug} already: {short_path(taken[slug].folder)}.", returncode=2
        )
    apps = [name for name in settings.INSTALLED_APPS if name.endswith("_demo")]
    if app not in apps:
        raise CommandError(f"{app!r} is not a demo app: {', '.join(apps)}.", returncode=2)
    number = max((lesson.number for lesson in catalogue.lessons()), default=0) + 1
    lesson = Lesson(catalogue.COURSE_DIR / f"{number:02}_{slug}")
    words = {
        "number": number,
        "slug": slug,
        "name": slug.title().replace("_", ""),
        "app": app,
        "path": f"/ws/{app.removesuffix('_demo')}/{slug}/",
        **_style(app),
    }
    _write(lesson, words)
    folder, tests = short_path(lesson.folder), short_path(lesson.tests)
    print_text(
        console, NEXT.format(**words, folder=folder, tests=tests, manage=MANAGE, guide=GUIDE)
    )


def _style(app: str) -> dict[str, str]:
    """How a handler is written in this app."""
    if app == "sync_demo":
        return {"base": "SyncConsumer", "define": "def", "call": ""}
    return {"base": "AsyncConsumer", "define": "async def", "call": "await "}


def _write(lesson: Lesson, words: dict) -> None:
    lesson.folder.mkdir()
    for file_name, template in new_lesson.FILES.items():
        text = template.format(**words)
        lesson.path_to(file_name).write_text(text, encoding="utf-8")
    lesson.tests.parent.mkdir(parents=True, exist_ok=True)
    lesson.tests.write_text(new_lesson.TESTS.format(**words), encoding="utf-8")
