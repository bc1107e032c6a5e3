"""Connects the signal receiver of lesson 21."""

from django.apps import AppConfig


class AuthDemoConfig(AppConfig):
    name = "auth_demo"

    def ready(self):
        # The import connects the receiver. Its model exists only now.
        import auth_demo.signals  # noqa: F401
