"""Connects the receivers of lessons 21 and 23 once, when Django has loaded all models."""

from django.apps import AppConfig


class DbDemoConfig(AppConfig):
    name = "db_demo"

    def ready(self):
        from db_demo import signals
        from db_demo.chat import revoked

        signals.connect()
        revoked.connect()
