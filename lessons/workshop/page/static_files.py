"""Serves the static files, in every mode and on every server.

They are small. A site with many visitors lets its proxy serve them: see `collectstatic`.
"""

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from django.middleware.gzip import GZipMiddleware
from django.views.defaults import bad_request

MAX_AGE = 300  # seconds; then a browser asks whether the file has changed


class StaticFilesHandler(ASGIStaticFilesHandler):
    """Serves static files as Django does, and sends text compressed: the editor has 350 kB."""

    def serve(self, request):
        try:
            return self._serve(request)
        except SuspiciousOperation as error:  # here, no middleware of Django answers it
            return bad_request(request, error)

    def _serve(self, request):
        try:
            response = super().serve(request)
        except Http404:
            request.get_host()  # may raise DisallowedHost: the page of a 404 needs an allowed host
            raise
        if not settings.DEBUG:
            response["Cache-Control"] = f"public, max-age={MAX_AGE}"
        if not response.get("Content-Type", "").startswith("text/"):
            return response
        return GZipMiddleware(lambda _: response).process_response(request, response)
