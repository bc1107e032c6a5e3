"""Settings of the workshop that the tests in a browser visit: slow closes, and cached files."""

from django.contrib.staticfiles import handlers

from lessons.settings import *  # noqa: F403
from tests.support.servers.daphne_server import wait_for_late_closes


def cached(serve):
    """Let the browser cache static files. In a new checkout it would load them on every visit."""

    def serve_with_cache_control(*args, **kwargs):
        response = serve(*args, **kwargs)
        response["Cache-Control"] = "max-age=3600"
        return response

    return serve_with_cache_control


wait_for_late_closes()
handlers.serve = cached(handlers.serve)
