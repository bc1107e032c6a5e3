"""`lesson new`: creates the files of a new lesson, and says what to do with them."""

import keyword
import re
from pathlib import Path
from string import Template

from django.conf import settings
from django.core.management.base import CommandError

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import MANAGE, Lesson
from lessons.workshop.terminal.terminal_output import print_text, short_path

# A complete lesson about an echo. It can be judged at once: an author changes one thing at a time.
# `lesson verify` reports every TODO except those in the exercise.
TEMPLATES = Path(__file__).parents[1] / "authoring" / "new_lesson"
NEXT = """\
Created {folder}
and     {tests}

1. Write the worked example: class {name} in {app}/consumers.py
2. Route it: {path} in {app}/routing.py
3. See what is missing, as often as you like: {manage} lesson verify {slug} --update
4. Prove the example: {manage} test --lesson {slug}

lessons/guides/adding-a-lesson.md explains each step."""


def create_lesson(console, slug: str, app: str) -> None:
    """Write the files of the next lesson, and say what to do with them."""
    name = slug.title().replace("_", "")
    apps = [one for one in settings.INSTALLED_APPS if one.endswith("_demo")]
    reason = ""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug) or keyword.iskeyword(name):
        reason = f"{slug!r} is not a slug: use small letters, digits and _, and no word of Python."
    elif slug in {lesson.slug for lesson in lesson_index.lessons()}:
        reason = f"There is a lesson {slug} already."
    elif app not in apps:
        reason = f"{app!r} is not a demo app: {', '.join(apps)}."
    if reason:
        raise CommandError(reason, returncode=2)
    number = lesson_index.lessons()[-1].number + 1
    lesson = Lesson(lesson_index.COURSE_DIR / f"{number:02}_{slug}")
    is_sync = app == "sync_demo"
    words = {  # in the templates; a handler is written in the style of the app
        "number": number,
        "slug": slug,
        "name": name,
        "app": app,
        "path": f"/ws/{app.removesuffix('_demo')}/{slug}/",
        "base": "SyncConsumer" if is_sync else "AsyncConsumer",
        "define": "def" if is_sync else "async def",
        "call": "" if is_sync else "await ",
    }
    tests = lesson_index.PROJECT_DIR / "tests" / app / f"test_{lesson.folder.name}.py"
    lesson.folder.mkdir()
    tests.parent.mkdir(parents=True, exist_ok=True)
    for template in TEMPLATES.glob("*.txt"):
        file = template.name.removesuffix(".txt")
        text = Template(template.read_text(encoding="utf-8")).substitute(words)
        place = tests if file == "test.py" else lesson.path_to(file)
        place.write_text(text, encoding="utf-8")
    folder, tests = short_path(lesson.folder), short_path(tests)
    print_text(console, NEXT.format(**words, folder=folder, tests=tests, manage=MANAGE))
