"""The accounts that a workshop creates. A server for others must not have their passwords."""

from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.crypto import salted_hmac

from lessons.workshop.course.lesson_index import ACCOUNTS, MANAGE
from lessons.workshop.setup.network_access import Mode, SettingsError

GROUPS = ("editors", "guests")  # lesson 19 queries them


def password_of(name: str) -> str:
    """Its name; behind a token, a password that follows from the secret key."""
    if settings.MODE is Mode.LOCAL:
        return name
    return salted_hmac(__name__, name, algorithm="sha256").hexdigest()[:12]


def create_accounts() -> None:
    """Create the accounts and groups that do not exist yet, or that have another password."""
    from django.contrib.auth.models import Group, User

    for name, rights in ACCOUNTS.items():
        user, is_new = User.objects.get_or_create(username=name, defaults=rights)
        # A new secret key changes the passwords of a shared workshop.
        if is_new or (settings.MODE is Mode.SHARED and not user.check_password(password_of(name))):
            user.set_password(password_of(name))
            user.save()
    for name in GROUPS:
        Group.objects.get_or_create(name=name)


def explain_accounts() -> str:
    """How to sign in, in one sentence."""
    if settings.MODE is Mode.LOCAL:
        return f"Sign in as {' or '.join(ACCOUNTS)}; the password is the name."
    accounts = " or ".join(f"{name} (password {password_of(name)})" for name in ACCOUNTS)
    return f"Sign in as {accounts}."


def require_safe_accounts() -> None:
    """Raise SettingsError if an account has its name as password, or if no query can say so.

    Others can reach the server, and sign in as soon as its database answers again.
    """
    try:
        with ThreadPoolExecutor() as pool:  # a server's event loop, which may run here, allows none
            name = pool.submit(_account_with_known_password).result()
    except DatabaseError as error:
        raise SettingsError(
            "Cannot check whether an account has its name as password, because the database "
            f"fails: {reason_of(error)}. Repair it, then start again. This shows how: "
            f"{MANAGE} doctor"
        ) from None
    if name is not None:
        raise SettingsError(
            f"The account {name} has the password {name}, which everybody can guess. Change it, "
            f"then start again: {MANAGE} changepassword {name}"
        )


def reason_of(error: DatabaseError) -> str:
    """What the database says, in one line without the password."""
    reason = str(error).partition("\n")[0].rstrip(".")  # psycopg adds questions
    password = settings.DATABASES["default"].get("PASSWORD")
    return reason.replace(password, "***") if password else reason


def _account_with_known_password() -> str | None:
    """The first account with rights whose password is its name. Raises DatabaseError."""
    from django.contrib.auth.models import User
    from django.db.models import Q

    powerful = Q(username__in=ACCOUNTS) | Q(is_staff=True) | Q(is_superuser=True)
    try:
        if User._meta.db_table not in connection.introspection.table_names():
            return None  # `migrate` has not run yet, so there is no account
        users = User.objects.filter(powerful, is_active=True)
        return next((user.username for user in users if user.check_password(user.username)), None)
    finally:
        connection.close()
