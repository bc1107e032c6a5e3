"""Lesson 17: another site, whose page opens the victim's sockets in its visitor's name."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.template.loader import render_to_string


class OtherSite(ThreadingHTTPServer):
    """Serves its one page under each name that leads here, on this machine alone."""

    def __init__(self, port, victim):
        super().__init__(("127.0.0.1", port), Page)
        self.page = render_to_string("auth_demo/other_site.html", {"victim": victim})


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(self.server.page.encode())

    def log_message(self, *args):
        """Say nothing: the terminal is the student's."""
