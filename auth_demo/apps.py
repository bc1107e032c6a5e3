"""Connects what hears of ended logins."""

from django.apps import AppConfig


class AuthDemoConfig(AppConfig):
    name = "auth_demo"

    def ready(self):
        import auth_demo.signals  # noqa: F401 - there are models only now
