"""The chat's pages: a list of rooms, and a room. What is said there comes over the WebSocket."""

import re

from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from db_demo.chat.frames import LONGEST_MESSAGE
from db_demo.chat.handshake import ROOM_NAME
from db_demo.models import Room


@require_safe
def rooms(request):
    """The rooms that this user may enter; a name that is given leads to that room."""
    if name := request.GET.get("room", ""):
        return redirect("chat-room", room=_room_name(name))
    may_enter = Q(is_private=False)
    if request.user.is_authenticated:
        may_enter |= Q(members=request.user)
    found = Room.objects.filter(may_enter).distinct().order_by("name")
    return _with_policy(request, render(request, "chat/rooms.html", {"rooms": found}))


@require_safe
def room(request, room):
    """The page of a room. It holds nothing that was said; the socket asks who may hear it."""
    context = {"room": _room_name(room), "longest": LONGEST_MESSAGE}
    return _with_policy(request, render(request, "chat/room.html", context))


def _room_name(name):
    if not re.fullmatch(ROOM_NAME, name):
        raise Http404("No room has such a name.")
    return name


def _with_policy(request, response):
    """Let the page run and reach nothing but what is ours, so that no message becomes a script."""
    host = request.get_host()
    response["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src ws://{host} wss://{host}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return response
