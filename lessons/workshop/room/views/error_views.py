"""The pages of errors. They link to nothing but the room."""

from django.views.defaults import page_not_found, permission_denied

from lessons.workshop.page.views.csp import with_csp


@with_csp
def not_found(request, exception):
    return page_not_found(request, exception, template_name="room/404.html")


@with_csp
def forbidden(request, exception):
    return permission_denied(request, exception, template_name="room/403.html")
