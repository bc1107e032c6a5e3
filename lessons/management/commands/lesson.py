"""`manage.py lesson`: read a lesson, do it, and learn what is right.

Exit codes: 0 for green or done, 1 for red, 2 for wrong usage.
"""

import sys
from functools import cache
from inspect import signature

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from lessons.core import atomic_write, catalogue, exercise_copies, progress
from lessons.core.catalogue import IncompleteLesson, Lesson, UnknownLesson

# The function of each action, imported when it is needed: `list` does not wait for Channels. Its
# first parameter is the console (for `check` a function that opens it); the others are options.
ACTIONS = {
    "list": "lesson_actions.list_lessons",
    "show": "lesson_actions.show_lesson",
    "check": "check.check",
    "watch": "watch.watch",
    "hint": "lesson_actions.show_hint",
    "reset": "lesson_actions.reset_lesson",
    "solution": "lesson_actions.show_solution",
    "mistakes": "mistakes.print_mistakes",
    "teach": "teach.teach",
    "verify": "verify.verify",
    "new": "new_lesson.create_lesson",
}
# Authors of the course use these actions. They edit originals, not copies.
WITHOUT_COPIES = {"verify", "new"}
# Without a lesson, these actions are about all of them.
ABOUT_ALL = WITHOUT_COPIES | {"teach"}


class Command(BaseCommand):
    help = "Read a lesson, do it, learn what is right. Without an action: the list of lessons."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.usage = "%(prog)s [ACTION] [LESSON] [options]"
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
        actions.add_parser("list", help="all lessons, their states, what is next")
        _add(actions, "show", "the lesson's text and code")
        check = _add(actions, "check", "judge the exercise")
        check.add_argument(
            "--target", default="exercise", help="solution, mistake:NAME or the path of a file"
        )
        check.add_argument("--json", action="store_true", help="the verdict as JSON")
        check.add_argument("--junit", metavar="FILE", help="write the verdict as JUnit XML too")
        _add(actions, "watch", "judge the exercise at every save")
        _add(actions, "hint", "one hint more than the last time")
        reset = actions.add_parser("reset", help="the original exercise; your version is kept")
        reset.add_argument("lesson", help="number or slug")
        solution = _add(actions, "solution", "the solution, once you are green")
        solution.add_argument("--force", action="store_true", help="show it anyway")
        _add(actions, "mistakes", "the common mistakes, with the diagnosis of each")
        _add(actions, "teach", "a page for the instructor", "the plans for a class")
        verify = _add(actions, "verify", "prove the course, for its authors", "all lessons")
        verify.add_argument("--mutants", action="store_true", help="machine-made mistakes too")
        verify.add_argument(
            "--survivors", action="store_true", help="the mutants that nothing caught the last time"
        )
        verify.add_argument("--update", action="store_true", help="record the transcripts again")
        new = actions.add_parser("new", help="create the files of a new lesson, to be filled in")
        new.add_argument("slug", help="small letters, digits and _")
        new.add_argument("--app", default="sync_demo", help="demo app of its example (sync_demo)")

    def handle(self, *, action, **options):
        action = action or "list"
        if action not in WITHOUT_COPIES and options.get("target", "exercise") == "exercise":
            for line in exercise_copies.create_copies():
                self.stderr.write(line)

        @cache
        def open_console():
            from lessons.cli import screen

            return screen.open_console(options.get("stdout") or sys.stdout, options["no_color"])

        try:
            options["lesson"] = _chosen_lesson(action, options.get("lesson"))
            function = import_string(f"lessons.cli.{ACTIONS[action]}")
            _, *names = signature(function).parameters
            console = open_console if action == "check" else open_console()
            code = function(console, *(options[name] for name in names))
        except (UnknownLesson, IncompleteLesson, exercise_copies.OriginalNotFound) as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error), returncode=2) from None
        if code:
            sys.exit(code)


def _add(actions, name: str, explanation: str, default="the first lesson that is not green"):
    """Add an action that takes a lesson."""
    parser = actions.add_parser(name, help=explanation)
    parser.add_argument("lesson", nargs="?", help=f"number or slug; by default {default}")
    return parser


def _chosen_lesson(action: str, name: str | None) -> Lesson | None:
    if name:
        return catalogue.find(name)
    return None if action in ABOUT_ALL else progress.next_lesson()
