"""`manage.py lesson`: read a lesson, do it, hear what is right.

Exit codes: 0 green or done, 1 red, 2 wrong usage. Each action is imported when it is asked for, so
that a list does not wait for Channels.
"""

import sys
from functools import cache

from django.core.management.base import BaseCommand, CommandError

from lessons.core import atomic_write, catalogue, exercise_copies, progress
from lessons.core.catalogue import IncompleteLesson, Lesson, UnknownLesson

N = "number or slug; by default the first lesson that is not green"

# Their users write the course, and edit the originals.
WITHOUT_COPIES = {"verify", "new"}


class Command(BaseCommand):
    help = "Read a lesson, do it, hear what is right. Without an action: the list of lessons."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.usage = "%(prog)s [ACTION] [LESSON] [options]"
        actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
        actions.add_parser("list", help="all lessons, how they stand, what is next")
        _with_lesson(actions, "show", "the lesson's text and code")
        check = _with_lesson(actions, "check", "judge the exercise")
        check.add_argument(
            "--target", default="exercise", help="solution, mistake:NAME or the path of a file"
        )
        check.add_argument("--json", action="store_true", help="the verdict as JSON")
        check.add_argument("--junit", metavar="FILE", help="write the verdict as JUnit XML too")
        _with_lesson(actions, "watch", "judge the exercise at every save")
        _with_lesson(actions, "hint", "one hint more than the last time")
        reset = actions.add_parser("reset", help="the original exercise; your version is kept")
        reset.add_argument("lesson", help="number or slug")
        solution = _with_lesson(actions, "solution", "the solution, once you are green")
        solution.add_argument("--force", action="store_true", help="show it all the same")
        _with_lesson(actions, "mistakes", "the classic wrong versions, and what each one gets")
        verify = actions.add_parser("verify", help="prove the course, for those who write it")
        verify.add_argument("lesson", nargs="?", help="number or slug; by default all")
        verify.add_argument("--mutants", action="store_true", help="machine-made mistakes too")
        verify.add_argument("--update", action="store_true", help="record the transcripts anew")
        new = actions.add_parser("new", help="the files of one more lesson, to be filled in")
        new.add_argument("slug", help="small letters, digits and _")
        new.add_argument("--app", default="sync_demo", help="of its worked example; sync_demo")

    def handle(self, *, action, **options):
        if action not in WITHOUT_COPIES:
            for line in exercise_copies.create_copies():
                self.stderr.write(line)

        @cache
        def screen():
            from lessons.cli.screen import open_console

            return open_console(options.get("stdout") or sys.stdout, options["no_color"])

        try:
            code = getattr(self, f"do_{action or 'list'}")(screen, options)
        except (UnknownLesson, IncompleteLesson, exercise_copies.OriginalNotFound) as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(atomic_write.explain_os_error(error), returncode=2) from None
        if code:
            sys.exit(code)

    def do_list(self, screen, options):
        from lessons.cli.lesson_list import draw_list

        draw_list(screen())

    def do_show(self, screen, options):
        from lessons.cli.read import draw_lesson

        draw_lesson(screen(), _chosen(options))

    def do_check(self, screen, options):
        from lessons.cli.check import check

        return check(screen, _chosen(options), options["target"], options["json"], options["junit"])

    def do_watch(self, screen, options):
        from lessons.cli.watch import watch

        return watch(screen(), _chosen(options))

    def do_hint(self, screen, options):
        from lessons.cli.read import draw_hint

        draw_hint(screen(), _chosen(options))

    def do_reset(self, screen, options):
        from lessons.cli.read import reset

        reset(screen(), _chosen(options))

    def do_solution(self, screen, options):
        from lessons.cli.read import draw_solution

        return draw_solution(screen(), _chosen(options), options["force"])

    def do_mistakes(self, screen, options):
        from lessons.cli.mistakes import draw_mistakes

        draw_mistakes(screen(), _chosen(options))

    def do_verify(self, screen, options):
        from lessons.cli.verify import verify

        some = [_chosen(options)] if options["lesson"] else catalogue.lessons()
        return verify(screen(), some, options["mutants"], options["update"])

    def do_new(self, screen, options):
        from lessons.cli.new_lesson import make

        make(screen(), options["slug"], options["app"])


def _with_lesson(actions, name: str, explanation: str):
    parser = actions.add_parser(name, help=explanation)
    parser.add_argument("lesson", nargs="?", help=N)
    return parser


def _chosen(options) -> Lesson:
    name = options["lesson"]
    return catalogue.find(name) if name else progress.next_lesson()
