"""`manage.py lesson`: read a lesson, do it, and learn what is right.

Exit codes: 0 for green or done, 1 for red, 2 for wrong usage, 130 after Ctrl-C. `grade` ends with 0
if each submission has a verdict, red or green, and with 1 if one could not be judged.
"""

import re
import shlex
import sys
from collections.abc import Callable
from functools import partial
from inspect import signature

from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from lessons.workshop.course import lesson_index
from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.management.declared import FLAG, DeclaredCommand
from lessons.workshop.student import exercise_copies, progress
from lessons.workshop.terminal.terminal_output import open_console

NEXT = "number or slug; by default the first lesson that is not green"
# Authors and instructors use these actions, which do not need the copies.
WITHOUT_COPIES = {"verify", "new", "grade"}


class Command(DeclaredCommand):
    help = "Read a lesson, do it, learn what is right. Without an action: the list of lessons."

    def add_arguments(self, parser):
        parser.usage = "%(prog)s [ACTION] [LESSON] [options]"
        parser.error = partial(self._suggest_an_action, parser.error)
        self.actions = parser.add_subparsers(
            dest="action", metavar="ACTION", title="actions", prog=parser.prog
        )
        self._add("list", "lesson_actions.list_lessons", "all lessons, their states, what is next")
        self._add("show", "lesson_actions.show_lesson", "the lesson's text and code", NEXT)
        add = self._add("predict", "predict.predict", "what will happen? It asks you", NEXT)
        add("--answers", help="do not ask", **FLAG)
        add = self._add("check", "check.check", "judge the exercise", NEXT)
        add("--target", default="exercise", help="solution, mistake:NAME or the path of a file")
        add("--json", help="the verdict as JSON", **FLAG)
        self._add("watch", "watch.watch", "judge the exercise at every save", NEXT)
        self._add("hint", "lesson_actions.show_hint", "one hint more than the last time", NEXT)
        add = self._add(
            "reset", "lesson_actions.reset_lesson", "the original exercise; your version is kept"
        )
        add("lesson", help="number or slug")
        add = self._add(
            "solution", "lesson_actions.show_solution", "the solution, once you are green", NEXT
        )
        add("--force", help="show it anyway", **FLAG)
        add = self._add("grade", "grade.grade", "judge a folder of submissions of a class")
        add("folder", help="a folder or a zip file")
        add("lessons", nargs="*", default=[], metavar="LESSON", help="by default all lessons")
        add("--output", metavar="FOLDER", help="where to write the report")
        add = self._add("verify", "verify.verify", "prove the course, for its authors")
        add("lessons", nargs="*", metavar="LESSON", help="by default all lessons")
        add("--mutants", help="machine-made mistakes too", **FLAG)
        add("--models", help="mutants of the models in check.py, and nothing else", **FLAG)
        add("--submissions", help="the written submissions in tests/", **FLAG)
        add("--update", help="record the transcripts again", **FLAG)
        add = self._add("new", "new_lesson.create_lesson", "create the files of a new lesson")
        add("slug", help="small letters, digits and _")
        add("--app", default="sync_demo", help="demo app of its example (sync_demo)")

    def _suggest_an_action(self, error: Callable, message: str) -> None:
        if found := re.search("argument ACTION: invalid choice: '(.+?)'", message):
            message += lesson_index.did_you_mean(found[1], self.actions.choices)
        error(message)

    def _add(self, name: str, function: str, explanation: str, lesson: str | None = None):
        """Add an action, perhaps about a lesson. Returns the function that adds more arguments.

        `function` is imported when it is needed: `list` does not wait for Channels. Its first
        parameter is the console; the others are arguments of the action.
        """
        action = self.actions.add_parser(name, help=explanation)
        action.set_defaults(function=function)
        if lesson:
            action.add_argument("lesson", nargs="?", help=lesson)
        return action.add_argument

    def handle(self, *, action, function="lesson_actions.list_lessons", **options):
        if action not in WITHOUT_COPIES and options.get("target", "exercise") == "exercise":
            for line in exercise_copies.create_copies():
                self.stderr.write(line)
        file = options.get("stdout") or sys.stdout
        console = open_console(file, options["no_color"], options["force_color"])
        if "lesson" in options:
            options["lesson"] = _chosen_lesson(**options)
        call = import_string(f"lessons.workshop.terminal.{function}")
        names = signature(call).parameters.keys() & options.keys()
        if code := call(console, **{name: options[name] for name in names}):
            sys.exit(code)


def _chosen_lesson(lesson: str | None, target="exercise", **others) -> Lesson:
    if lesson is not None:
        return lesson_index.find(lesson)
    if target != "exercise":
        command = f"{lesson_index.MANAGE} lesson check 1 --target {shlex.quote(target)}"
        raise CommandError(f"Which lesson is {target} for? Such as: {command}", returncode=2)
    return progress.next_lesson()
