"""Connects the signal receivers of lesson 19."""

from django.apps import AppConfig


class AuthDemoConfig(AppConfig):
    name = "auth_demo"

    def ready(self):
        # The import connects the receivers. Their models exist only now.
        import auth_demo.signals  # noqa: F401
