"""`manage.py workshop`: everything made ready, then the pages and the demos served by Daphne."""

import sys
from contextlib import nullcontext

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.utils import autoreload

from lessons.core import bootstrap, exercise_copies
from lessons.core.accounts import ACCOUNTS
from lessons.management.address import free_port, refuse_strangers
from lessons.management.judge import judge_beside

GROUPS = ("editors", "guests")  # lesson 20 asks for them


class Command(BaseCommand):
    help = "Start the workshop: the lessons in the browser, on this machine."
    requires_system_checks = ()  # runserver makes them

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="8000; 0 takes any free one")
        parser.add_argument("--host", default="127.0.0.1", help="127.0.0.1: this machine alone")
        parser.add_argument(
            "--no-reload", dest="reload", action="store_false", help="do not watch for changed code"
        )

    def handle(self, *, host, port, reload, **options):
        refuse_strangers(host)
        address = f"[{host}]" if ":" in host else host
        address = f"{address}:{free_port(host, port)}"
        if bootstrap.is_inside() and bootstrap.is_stale():
            self.stderr.write(
                "requirements.txt has changed since .venv was made from it. "
                "To install what is new: deactivate, then start again."
            )
        for line in exercise_copies.create_copies():
            self.stderr.write(line)
        self.prepare_database()
        # The judge is this process's, which goes on while the reloader starts the server anew.
        with judge_beside() if settings.WORKSHOP else nullcontext():
            self.serve(address, reload)

    def serve(self, address, reload):
        if not reload:
            call_command("runserver", address, use_reloader=False)
            return
        # The reloader starts the arguments of this process again at each change. It lives through
        # a syntax error only where they say runserver, and there is nothing to prepare twice.
        sys.argv[1:] = ["runserver", address]
        autoreload.run_with_reloader(None)

    def prepare_database(self):
        try:
            if has_changes_to_make():
                self.stdout.write("Preparing the database.")
                call_command("migrate", verbosity=0, interactive=False)
            if settings.WORKSHOP:
                seed_accounts()
                names = " or ".join(ACCOUNTS)
                self.stdout.write(f"Sign in as {names}; the password is the name.")
        except DatabaseError as error:
            raise CommandError(
                f"{connection.settings_dict['NAME']}: {error}. Make its folder writable, with room "
                "on its disk, or move the file away, then start again."
            ) from None
        finally:
            connection.close()  # the reloader's child opens its own


def has_changes_to_make() -> bool:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def seed_accounts() -> None:
    from django.contrib.auth.models import Group, User

    for name, rights in ACCOUNTS.items():
        if not User.objects.filter(username=name).exists():
            User.objects.create_user(name, password=name, **rights)
    for name in GROUPS:
        Group.objects.get_or_create(name=name)
