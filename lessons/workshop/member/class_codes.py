"""The secrets of a class: its code, the tokens of students' machines, and their place codes.

A class code is said aloud or shown on a projector, and a place code is copied from a screen. So
both have no letter or digit that looks like another one.
"""

import secrets

from django.utils.crypto import salted_hmac

ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ"
_HALF = 4  # characters on each side of the hyphen: 39 bits in all


def new_code() -> str:
    """Such as K7QM-3XTD: the code of a class, or a place code."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(2 * _HALF))
    return f"{text[:_HALF]}-{text[_HALF:]}"


def normal_code(text: str) -> str:
    """The code as it is stored, whatever case, spaces and hyphens a person types."""
    plain = "".join(text.split()).replace("-", "").upper()
    return f"{plain[:_HALF]}-{plain[_HALF:]}"


def new_token() -> str:
    """What a student's machine shows at each connection: 256 bits."""
    return secrets.token_urlsafe(32)


def digest(purpose: str, secret: str) -> str:
    """What the database stores of a secret. Guesses need the secret key too."""
    return salted_hmac(f"{__name__}.{purpose}", secret, algorithm="sha256").hexdigest()
