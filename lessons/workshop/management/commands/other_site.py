"""`manage.py other_site`: serve lesson 17's hostile page from another origin."""

from django.core.management.base import BaseCommand

from lessons.workshop.page.other_site import OtherSite
from lessons.workshop.terminal.workshop import free_port


class Command(BaseCommand):
    help = "Serve a page of another site that opens this site's sockets with your cookie."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8666, help="8666; 0 means any free port")
        parser.add_argument(
            "--victim", default="lessons.localhost:8000", help="the workshop's host and port"
        )

    def handle(self, *, port, victim, **options):
        number = free_port("127.0.0.1", port) if port else 0
        with OtherSite(number, victim) as site:
            self.stdout.write(f"Log in at http://{victim}/auth/login/, then open")
            self.stdout.write(f"  http://evil.lessons.localhost:{site.server_port}/")
            try:
                site.serve_forever()
            except KeyboardInterrupt:
                self.stdout.write("")
