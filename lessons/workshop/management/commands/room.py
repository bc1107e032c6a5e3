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
    }

    def handle(self, *, name, host, port, plain_http, **options):
        from lessons.workshop.room import command

        command.run_room(host, port, plain_http, name, self.stdout.write)
