"""Connects the signal receivers of the hardened chat."""

from django.apps import AppConfig


class ExtrasConfig(AppConfig):
    name = "lessons.extras"

    def ready(self):
        # The import connects the receivers. Their models exist only now.
        import lessons.extras.hardened_chat.revocation  # noqa: F401
