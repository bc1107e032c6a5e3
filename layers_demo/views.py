"""Lesson 11: a view that sends a message to a consumer."""

from channels.exceptions import ChannelFull
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from layers_demo.paging import InvalidChannel, send_page


@require_http_methods(["GET", "POST"])
def pager(request):
    """Show the form. On POST, send the text to the channel."""
    if request.method == "GET":
        return render(request, "layers_demo/pager.html")
    try:
        send_page(request.POST.get("channel", ""), request.POST.get("text", ""))
    except InvalidChannel:
        return HttpResponse("No consumer has this channel.", status=400, content_type="text/plain")
    except ChannelFull:
        return HttpResponse("The channel is full.", status=503, content_type="text/plain")
    return HttpResponse("Sent.", content_type="text/plain")
