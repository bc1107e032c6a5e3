"""Lesson 17: a hostile site. Its page opens sockets of the workshop with the user's cookie."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.template.loader import render_to_string


class OtherSite(ThreadingHTTPServer):
    """Serves one page on this machine only, under every host name that leads to it."""

    def __init__(self, port, victim):
        super().__init__(("127.0.0.1", port), Page)
        self.page = render_to_string("lessons/other_site.html", {"victim": victim})


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.path == "/":
            self.wfile.write(self.server.page.encode())

    def log_message(self, *args):
        """Log nothing, so that the terminal stays readable."""
