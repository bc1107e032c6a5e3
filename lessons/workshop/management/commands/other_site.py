"""`manage.py other_site`: serve lesson 17's hostile page from another origin."""

from lessons.workshop.management.declared import DeclaredCommand
from lessons.workshop.page.other_site import OtherSite
from lessons.workshop.terminal.workshop import free_port


class Command(DeclaredCommand):
    help = "Serve a page of another site that opens this site's sockets with your cookie."
    options = {
        "--port": {"type": int, "default": 8666, "help": "8666; 0 means any free port"},
        "--victim": {
            "default": "lessons.localhost:8000",
            "help": "the workshop's host and port",
        },
    }

    def handle(self, *, port, victim, **options):
        with OtherSite(free_port("127.0.0.1", port), victim) as site:
            self.stdout.write(f"Log in at http://{victim}/auth/login/, then open")
            self.stdout.write(f"  http://evil.lessons.localhost:{site.server_port}/")
            site.serve_forever()
