"""The page for an unknown URL, with DEBUG on too: a student has no use for a list of patterns."""

from django.http import Http404
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin
from django.views.defaults import page_not_found

from lessons.workshop.page.views.csp import with_csp

not_found = with_csp(page_not_found)  # renders 404.html


class NotFoundMiddleware(MiddlewareMixin):
    """Answers with our page where Django, with DEBUG on, would show its own. It comes last.

    It is async-capable. Otherwise each request would keep a thread that waits for the event loop,
    and a server that stops during a request would never end.
    """

    def process_request(self, request):
        try:
            resolve(request.path_info)
        except Resolver404 as error:
            return not_found(request, error)
        return None

    def process_exception(self, request, exception):
        """A view has raised Http404."""
        return not_found(request, exception) if isinstance(exception, Http404) else None
