"""The page for an unknown URL, with DEBUG on too: a student has no use for a list of patterns."""

from django.http import Http404
from django.urls import Resolver404, resolve
from django.views.defaults import page_not_found

from lessons.web.views.csp import with_csp

not_found = with_csp(page_not_found)  # renders 404.html


class NotFoundMiddleware:
    """Answers with our page where Django, with DEBUG on, would show its own. It comes last."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            resolve(request.path_info)
        except Resolver404 as error:
            return not_found(request, error)
        return self.get_response(request)

    def process_exception(self, request, exception):
        """A view has raised Http404."""
        return not_found(request, exception) if isinstance(exception, Http404) else None
