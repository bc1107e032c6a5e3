"""What the templates of every page may use."""

from django.conf import settings

from lessons.core.catalogue import ACCOUNTS, MANAGE


def workshop(request) -> dict:
    """Whether this is a local workshop, how to start it, and the accounts that it has created."""
    return {
        "in_workshop": settings.WORKSHOP,
        "start_command": f"{MANAGE} workshop",
        "workshop_accounts": list(ACCOUNTS) if settings.WORKSHOP else [],
    }
