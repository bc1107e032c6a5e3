"""Serves the static files, in every mode and on every server.

They are small. A site with many visitors lets its proxy serve them: see `collectstatic`.
"""

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.middleware.gzip import GZipMiddleware

MAX_AGE = 300  # seconds; then a browser asks whether the file has changed


class StaticFilesHandler(ASGIStaticFilesHandler):
    """Serves static files as Django does, and sends text compressed: the editor has 350 kB."""

    def serve(self, request):
        response = super().serve(request)
        if not settings.DEBUG:
            response["Cache-Control"] = f"public, max-age={MAX_AGE}"
        if not response.get("Content-Type", "").startswith("text/"):
            return response
        return GZipMiddleware(lambda _: response).process_response(request, response)
