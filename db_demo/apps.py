"""Connects the signal receiver of lesson 20."""

from django.apps import AppConfig


class DbDemoConfig(AppConfig):
    name = "db_demo"

    def ready(self):
        # The import connects the receiver. Its model exists only now.
        import db_demo.signals  # noqa: F401
