from django.apps import AppConfig


class RoomConfig(AppConfig):
    name = "lessons.workshop.room"
    label = "room"
