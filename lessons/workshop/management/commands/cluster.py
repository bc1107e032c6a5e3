"""`manage.py cluster`: Redis, two web servers and a worker, on one machine and in one log."""

from django.core.management.base import BaseCommand

from lessons.workshop.terminal import cluster


class Command(BaseCommand):
    help = (
        "Start Redis, two web servers and a worker on this machine; they all end together. "
        "Redis and the worker start again if they end."
    )
    requires_system_checks = ()  # runserver makes them

    def add_arguments(self, parser):
        parser.add_argument(
            "--port",
            type=int,
            default=8000,
            help="of the first web server (8000); the second gets the next; 0 takes any two",
        )

    def handle(self, *, port, **options):
        cluster.run_cluster(port, self.stdout.write, self.stderr.write)
