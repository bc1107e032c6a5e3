"""`manage.py lesson`: read a lesson, do it, and learn what is right.

Exit codes: 0 for green or done, 1 for red, 2 for wrong usage, 130 after Ctrl-C. `grade` ends with 0
if each submission has a verdict, red or green, and with 1 if one could not be judged.
"""

import re
import shlex
import sys
from argparse import SUPPRESS
from collections.abc import Callable
from functools import cache, partial
from inspect import signature

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import IncompleteLesson, Lesson, UnknownLesson
from lessons.workshop.setup import atomic_write
from lessons.workshop.setup.virtual_environment import INTERRUPTED
from lessons.workshop.student import exercise_copies, progress

# The function of each action, imported when it is needed: `list` does not wait for Channels. Its
# first parameter is the console (for `check` a function that opens it); the others are options.
ACTIONS = {
    "list": "lesson_actions.list_lessons",
    "show": "lesson_actions.show_lesson",
    "predict": "predict.print_predictions",
    "check": "check.check",
    "watch": "watch.watch",
    "hint": "lesson_actions.show_hint",
    "reset": "lesson_actions.reset_lesson",
    "solution": "lesson_actions.show_solution",
    "mistakes": "instructor_pages.print_mistakes",
    "teach": "instructor_pages.teach",
    "grade": "grade.grade",
    "verify": "verify.verify",
    "new": "new_lesson.create_lesson",
}
# Authors and instructors use these actions, which do not need the copies.
WITHOUT_COPIES = {"verify", "new", "grade"}
# Without a lesson, these actions are about all of them.
ABOUT_ALL = WITHOUT_COPIES | {"teach"}


class Command(BaseCommand):
    help = "Read a lesson, do it, learn what is right. Without an action: the list of lessons."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.usage = "%(prog)s [ACTION] [LESSON] [options]"
        parser.error = partial(_suggest_an_action, parser.error)
        actions = parser.add_subparsers(
            dest="action",
            metavar="ACTION",
            title="actions",
            parser_class=_ActionParser,
            prog=parser.prog,
        )
        actions.add_parser("list", help="all lessons, their states, what is next")
        _add(actions, "show", "the lesson's text and code")
        predict = _add(actions, "predict", "the questions: what will happen?")
        predict.add_argument("--answers", action="store_true", help="and what happens")
        check = _add(actions, "check", "judge the exercise")
        check.add_argument(
            "--target", default="exercise", help="solution, mistake:NAME or the path of a file"
        )
        check.add_argument("--json", action="store_true", help="the verdict as JSON")
        _add(actions, "watch", "judge the exercise at every save")
        _add(actions, "hint", "one hint more than the last time")
        reset = actions.add_parser("reset", help="the original exercise; your version is kept")
        reset.add_argument("lesson", help="number or slug")
        solution = _add(actions, "solution", "the solution, once you are green")
        solution.add_argument("--force", action="store_true", help="show it anyway")
        _add(actions, "mistakes", "the common mistakes, with the diagnosis of each")
        _add(actions, "teach", "a page for the instructor", "the plans for a class")
        grade = actions.add_parser(
            "grade", help="judge a folder of submissions, report on the class"
        )
        grade.add_argument("folder", help="a folder or a zip file")
        grade.usage = "%(prog)s [options] FOLDER [LESSON ...]"
        grade.add_argument(
            "lessons", nargs="*", default=[], metavar="LESSON", help="by default all lessons"
        )
        grade.add_argument("--output", metavar="FOLDER", help="where to write the report")
        grade.add_argument("--again", action="store_true", help="judge also what has a verdict")
        verify = actions.add_parser("verify", help="prove the course, for its authors")
        verify.add_argument("lessons", nargs="*", metavar="LESSON", help="by default all lessons")
        what = verify.add_mutually_exclusive_group()
        what.add_argument("--mutants", action="store_true", help="machine-made mistakes too")
        what.add_argument(
            "--survivors", action="store_true", help="the mutants that nothing caught the last time"
        )
        what.add_argument(
            "--submissions", action="store_true", help="the written submissions in tests/"
        )
        verify.add_argument("--update", action="store_true", help="record the transcripts again")
        new = actions.add_parser("new", help="create the files of a new lesson, to be filled in")
        new.add_argument("slug", help="small letters, digits and _")
        new.add_argument("--app", default="sync_demo", help="demo app of its example (sync_demo)")
        new.add_argument("--undo", action="store_true", help="delete these files, if unedited")

    def handle(self, *, action, **options):
        action = action or "list"
        if action not in WITHOUT_COPIES and options.get("target", "exercise") == "exercise":
            for line in exercise_copies.create_copies():
                self.stderr.write(line)

        @cache
        def open_console():
            from lessons.workshop.terminal import terminal_output

            file = options.get("stdout") or sys.stdout
            return terminal_output.open_console(file, options["no_color"], options["force_color"])

        try:
            options["lesson"] = _chosen_lesson(action, options)
            function = import_string(f"lessons.workshop.terminal.{ACTIONS[action]}")
            _, *names = signature(function).parameters
            console = open_console if action == "check" else open_console()
            code = function(console, *(options[name] for name in names))
        except (UnknownLesson, IncompleteLesson) as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error), returncode=2) from None
        except KeyboardInterrupt:
            code = INTERRUPTED
        if code:
            sys.exit(code)


def _add(actions, name: str, explanation: str, default="the first lesson that is not green"):
    """Add an action that takes a lesson."""
    parser = actions.add_parser(name, help=explanation)
    parser.add_argument("lesson", nargs="?", help=f"number or slug; by default {default}")
    return parser


def _chosen_lesson(action: str, options: dict) -> Lesson | None:
    if options.get("lesson") is not None:
        return lesson_index.find(options["lesson"])
    if (target := options.get("target", "exercise")) != "exercise":
        command = f"{lesson_index.MANAGE} lesson check 1 --target {shlex.quote(target)}"
        raise CommandError(f"Which lesson is {target} for? Such as: {command}", returncode=2)
    return None if action in ABOUT_ALL else progress.next_lesson()


class _ActionParser(CommandParser):
    """The options of an action. Django's options for colours may come before or after it."""

    def __init__(self, **options):
        super().__init__(**options)
        for name in ("--no-color", "--force-color"):
            self.add_argument(name, action="store_true", default=SUPPRESS, help=SUPPRESS)


def _suggest_an_action(error: Callable, message: str) -> None:
    if found := re.search("argument ACTION: invalid choice: '(.+?)'", message):
        message += lesson_index.did_you_mean(found[1], ACTIONS)
    error(message)
