"""`manage.py room`: an instructor's server for a class, with a board of who is stuck where."""

from django.core.management.base import BaseCommand, CommandError

from lessons.workshop.room import command


class Command(BaseCommand):
    help = "Start the room: students' workshops report to it, and the instructor sees a board."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="the name or address that students type; 0.0.0.0: all of this machine; "
            "127.0.0.1: only this machine",
        )
        parser.add_argument("--port", type=int, default=9000, help="9000; 0 takes any free port")
        parser.add_argument("--listen", metavar="ADDRESS", help="if the host is not an address")
        parser.add_argument("--name", metavar="CLASS", help="create this class if it is new")
        parser.add_argument(
            "--pseudonyms", action="store_true", help="students of a new class have no names"
        )
        parser.add_argument("--certificate", metavar="FILE", help="for HTTPS, in PEM format")
        parser.add_argument("--key", metavar="FILE", help="of the certificate, in PEM format")
        parser.add_argument(
            "--plain-http", action="store_true", help="without HTTPS: passwords are readable"
        )
        parser.add_argument("--add-instructor", metavar="NAME", help="print a password, and end")
        parser.add_argument(
            "--export",
            nargs=2,
            metavar=("CLASS", "FOLDER"),
            help="write CSV files and a page about this class into a folder, and end",
        )
        parser.add_argument("--delete", metavar="CLASS", help="delete all of this class, and end")
        parser.add_argument("--yes", action="store_true", help="delete without a question")

    def handle(
        self,
        *,
        name,
        pseudonyms,
        add_instructor,
        export,
        delete,
        yes,
        host,
        port,
        listen,
        **options,
    ):
        if "" in (add_instructor, delete):
            raise CommandError("Write a name: it is empty.", returncode=2)
        if add_instructor is not None:
            command.add_instructor(add_instructor, self.stdout.write)
        elif export:
            command.export(*export, self.stdout.write)
        elif delete is not None:
            command.delete(delete, yes, self.stdout.write)
        else:
            names = ("certificate", "key", "plain_http")
            server = command.Options.read(
                host=host, port=port, listen=listen, **{one: options[one] for one in names}
            )
            command.run_room(server, name, pseudonyms, self.stdout.write, self.stderr.write)
