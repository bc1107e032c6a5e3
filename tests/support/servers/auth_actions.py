"""Views that do to a user what forms, the admin and commands do: /act/login/ada/."""

from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import include, path

from db_demo.models import Room

PASSWORD = "lovelace 1843"


def act(request, what, name):
    user, is_new = User.objects.get_or_create(username=name)
    if is_new or what == "password":
        user.set_password(PASSWORD)
        user.save()
    elif what == "deactivate":
        user.is_active = False
        user.save()
    if what == "join":
        room, _ = Room.objects.get_or_create(name="cellar", is_private=True)
        room.members.add(user)
    elif what == "expel":
        user.memberships.all().delete()
    if what == "login":
        login(request, user)
    elif what == "logout":
        logout(request)
    return HttpResponse("done")


urlpatterns = [
    path("act/<str:what>/<str:name>/", act),
    path("", include("lessons.urls")),
]
