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
from lessons.workshop.setup.atomic_write import explain_os_error


def view_of_class(view):
    """Call the view in a workshop that may join a class, and show the class.

    The view returns nothing, or what the page says of its failure.
    """

    @wraps(view)
    @never_cache
    @with_csp
    def answer(request):
        if not may_join():
            raise Http404("Only a workshop on your own machine joins a class.")
        if failure := view(request):
            return render_home(request, failure, status=400)
        return redirect(reverse("lessons") + "#class")

    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@view_of_class
@sensitive_post_parameters("code")
@sensitive_variables("wish")
def school_class(request) -> dict | None:
    """POST joins a class, or says beside the value what is wrong. GET changes nothing.

    In a class, POST only decides again whether to share code.
    """
    if request.method != "POST":
        return None
    texts = [request.POST.get(field, "").strip() for field in joining.FIELDS]
    wish = Wish(*texts, shares_code="shares_code" in request.POST)
    try:
        joining.join_class(wish)
    except Refused as error:
        return {"error": str(error), "error_field": error.field, "wish": wish}
    except OSError as error:
        return {"error": explain_os_error(error), "wish": wish}
    return None


@require_POST
@view_of_class
def leave_class(request) -> dict | None:
    """End the membership."""
    try:
        membership.forget()
    except OSError as error:
        return {"error": explain_os_error(error)}
    return None
