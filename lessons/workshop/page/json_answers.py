"""JSON for the scripts of a page: what a view returns, or why it refuses."""

from functools import wraps

from django.http import Http404, JsonResponse
from django.views.decorators.cache import never_cache

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.judge.study.recordings import PLAYBACK_ERRORS
from lessons.workshop.page.live.feed import belongs_to_session
from lessons.workshop.setup.atomic_write import explain_os_error


class Refused(ValueError):
    """Something that a page may not do. The text gives the reason; `more` is for the script."""

    def __init__(self, reason: str, status: int = 400, **more):
        super().__init__(reason)
        self.status, self.more = status, more


def as_json(view):
    """Answer with what the view returns. An error becomes JSON: `{"error"}`, with status 400."""

    @wraps(view)
    @never_cache
    def answer(request, lesson: Lesson, **kwargs):
        try:
            return JsonResponse(view(request, lesson, **kwargs))
        except Refused as error:
            return JsonResponse({"error": str(error), **error.more}, status=error.status)
        except OSError as error:
            return JsonResponse({"error": explain_os_error(error)}, status=400)
        except (ValueError, *PLAYBACK_ERRORS) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return answer


def json_for_own_page(view):
    """As as_json(), for a page of the same session only: the request has the id of its feed."""
    answer = as_json(view)

    @wraps(view)
    def answer_own_page(request, lesson: Lesson, **kwargs):
        if not belongs_to_session(request.GET.get("feed", ""), request.session.session_key):
            raise Http404("Only a page of the same session gets an answer.")
        return answer(request, lesson, **kwargs)

    return answer_own_page
