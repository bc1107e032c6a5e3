from lessons.workshop.management.declared import DeclaredCommand
from lessons.workshop.terminal import cluster


class Command(DeclaredCommand):
    help = "Start Redis, two web servers and a worker on this machine; they all end together."
    options = {
        "--port": {
            "type": int,
            "default": 8000,
            "help": "of the first web server (8000); the second gets the next; 0 takes any two",
        }
    }

    def handle(self, *, port, **options):
        cluster.run_cluster(port, self.stdout.write, self.stderr.write)
