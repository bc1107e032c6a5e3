"""The part of the first page with which a student joins a class and leaves it.

Both exist on a student's own machine only.
"""

from functools import wraps

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from lessons.workshop.member import joining, membership
from lessons.workshop.member.joining import Wish
from lessons.workshop.member.protocol import Refused
from lessons.workshop.page.live.room_status import may_join
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.page.views.home_views import render_home
from lessons.workshop.setup import atomic_write


def on_own_machine(view):
    """Call the view in a workshop that may join a class. Otherwise, answer 404."""

    @wraps(view)
    @never_cache
    @with_csp
    def view_of_class(request):
        if not may_join():
            raise Http404("Only a workshop on your own machine joins a class.")
        return view(request)

    return view_of_class


@require_http_methods(["GET", "HEAD", "POST"])
@on_own_machine
@sensitive_post_parameters("code")
@sensitive_variables("wish")
def school_class(request):
    """POST joins a class, or says beside the value what is wrong. GET changes nothing.

    In a class, POST only decides again whether to share code.
    """
    if request.method != "POST":
        return redirect(reverse("lessons") + "#class")
    texts = [request.POST.get(field, "").strip() for field in joining.FIELDS]
    wish = Wish(*texts, shares_code="shares_code" in request.POST)
    try:
        joining.join_class(wish)
    except Refused as error:
        return _failed(request, str(error), error.field, wish)
    except OSError as error:
        return _failed(request, atomic_write.explain_os_error(error), "", wish)
    return redirect(reverse("lessons") + "#class")


@require_POST
@on_own_machine
def leave_class(request):
    """End the membership."""
    try:
        membership.forget()
    except OSError as error:
        return _failed(request, atomic_write.explain_os_error(error))
    return redirect(reverse("lessons") + "#class")


def _failed(request, error: str, field: str = "", wish: Wish | None = None):
    """The first page, with the error beside its field, and with all that the student has typed."""
    more = {"error": error, "error_field": field, "wish": wish}
    return render_home(request, more, status=400)
