"""Lesson 11: a view that sends to a consumer."""

from channels.exceptions import ChannelFull
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from layers_demo.paging import NoSuchPager, page


@require_http_methods(["GET", "POST"])
def pager(request):
    """A form, and what comes of it."""
    if request.method == "GET":
        return render(request, "layers_demo/pager.html")
    try:
        page(request.POST.get("channel", ""), request.POST.get("text", ""))
    except NoSuchPager:
        return HttpResponse("There is no such pager.", status=400, content_type="text/plain")
    except ChannelFull:
        return HttpResponse("That pager is busy.", status=503, content_type="text/plain")
    return HttpResponse("Sent.", content_type="text/plain")
