"""URLs of the pages of the hardened chat."""

from django.urls import path

from lessons.extras.hardened_chat import views

urlpatterns = [
    path("chat/", views.rooms, name="chat-rooms"),
    path("chat/<str:room>/", views.room, name="chat-room"),
]
