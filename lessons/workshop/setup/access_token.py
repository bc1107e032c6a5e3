"""The token of a shared workshop, and the cookie that a browser receives for it.

Both follow from the secret key. So they stay the same after a restart, and in each process.
"""

from django.conf import settings
from django.utils.crypto import salted_hmac

PARAMETER = "token"  # of a URL


def token() -> str:
    """What a person must know to enter: 128 bits."""
    return _derive("token")


def cookie() -> tuple[str, str]:
    """The name and the value of the cookie.

    Browsers send a cookie to all ports of a host. With one name, two workshops on one host would
    overwrite each other's.
    """
    return f"workshop_{_derive('name')[:8]}", _derive("cookie")


def _derive(purpose: str) -> str:
    return salted_hmac(f"{__name__}.{purpose}", settings.MODE, algorithm="sha256").hexdigest()[:32]
