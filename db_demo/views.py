"""Lesson 20: the page of the live blog."""

from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def liveblog(request):
    """Show an empty page. All posts, the first ones too, come over the WebSocket."""
    response = render(request, "db_demo/liveblog.html")
    host = request.get_host()  # in some browsers, 'self' does not include WebSockets
    response["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src ws://{host} wss://{host}; base-uri 'none'; form-action 'none'"
    )
    return response
