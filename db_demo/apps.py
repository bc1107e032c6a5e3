"""Connects the receivers of lesson 21 once, when Django has loaded all models."""

from django.apps import AppConfig


class DbDemoConfig(AppConfig):
    name = "db_demo"

    def ready(self):
        from db_demo import signals

        signals.connect()
