"""Connects the signal receivers of lessons 21 and 23."""

from django.apps import AppConfig


class DbDemoConfig(AppConfig):
    name = "db_demo"

    def ready(self):
        # The import connects the receivers. Their models exist only now.
        import db_demo.hardened_chat.revocation
        import db_demo.signals  # noqa: F401
