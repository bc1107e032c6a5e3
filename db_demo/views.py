"""Lesson 21: the page that shows posts as they are written."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def liveblog(request):
    """The page is empty: all that it shows comes through the socket, the first posts too."""
    response = render(request, "db_demo/liveblog.html")
    host = request.get_host()  # not every browser takes 'self' for the WebSockets of a host
    response["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src ws://{host} wss://{host}; base-uri 'none'; form-action 'none'"
    )
    return response
