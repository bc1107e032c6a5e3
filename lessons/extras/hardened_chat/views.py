"""The chat's pages: the list of rooms, and one room. Its messages come over the WebSocket."""

import re

from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from db_demo.models import Room
from lessons.extras.hardened_chat.client_input import MAX_MESSAGE_LENGTH, ROOM_NAME


@require_safe
def rooms(request):
    """List the rooms that this user may join. With a name in the query, open that room."""
    if name := request.GET.get("room", ""):
        return redirect("chat-room", room=_room_name(name))
    may_join = Q(is_private=False)
    if request.user.is_authenticated:
        may_join |= Q(members=request.user)
    found = Room.objects.filter(may_join).distinct().order_by("name")
    return render(request, "chat/rooms.html", {"rooms": found})


@require_safe
def room(request, room):
    """Show the page of a room. The page has no messages; the consumer checks who may read them."""
    context = {"room": _room_name(room), "max_length": MAX_MESSAGE_LENGTH}
    return render(request, "chat/room.html", context)


def _room_name(name):
    if not re.fullmatch(ROOM_NAME, name):
        raise Http404("No room has such a name.")
    return name
