"""Who may use the board: staff accounts, for as long as their session lasts.

The room chooses the passwords: they follow from its secret key, so it can print them at each start.
"""

from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.utils.crypto import constant_time_compare

from lessons.workshop.student.demo_accounts import password_of

FIRST = "instructor"  # the account that each room has


def is_instructor(user_id: int | None, session_key: str | None) -> bool:
    """Whether this session still belongs to this user, who is active and staff.

    A board asks again and again, because a session can end while the socket is open.
    """
    user = get_user_model().objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    if user is None or not session_key:
        return False
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return session.get(SESSION_KEY) == str(user.pk) and constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    )


def create_first_instructor() -> str | None:
    """Create the first account. Returns its password; None if the instructor has changed it."""
    user, is_new = get_user_model().objects.get_or_create(username=FIRST)
    if is_new:
        return set_password(FIRST)
    return password_of(FIRST) if user.check_password(password_of(FIRST)) else None


def set_password(name: str) -> str:
    """Give this account the room's password for it. Creates it, as an instructor's, if necessary.

    Returns the password. Raises ValidationError if an account cannot have this name.
    """
    users = get_user_model()
    users(username=name).clean_fields(exclude=["password"])
    user, _ = users.objects.get_or_create(username=name)
    user.is_staff = user.is_active = True
    user.set_password(password_of(name))
    user.save()
    return password_of(name)
