"""`manage.py room`: an instructor's server for a class, with a board of who is stuck where."""

from django.core.management.base import CommandError

from lessons.workshop.management.declared import FLAG, DeclaredCommand


class Command(DeclaredCommand):
    help = "Start the room: students' workshops report to it, and the instructor sees a board."
    options = {
        "--host": {
            "default": "127.0.0.1",
            "help": "the name or address that students type; 0.0.0.0: all of this machine; "
            "127.0.0.1: only this machine",
        },
        "--port": {"type": int, "default": 9000, "help": "9000; 0 takes any free port"},
        "--name": {"metavar": "CLASS", "help": "create this class if it is new"},
        "--plain-http": {**FLAG, "help": "without HTTPS: passwords are readable"},
        "--add-instructor": {"metavar": "NAME", "help": "print a password, and end"},
    }

    def handle(self, *, name, add_instructor, host, port, plain_http, **options):
        from lessons.workshop.room import command

        if add_instructor == "":
            raise CommandError("Write a name: it is empty.", returncode=2)
        if add_instructor is not None:
            command.add_instructor(add_instructor, self.stdout.write)
        else:
            command.run_room(host, port, plain_http, name, self.stdout.write)
