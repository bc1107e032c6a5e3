from django.apps import AppConfig


class RoomConfig(AppConfig):
    name = "lessons.room"
    label = "room"
