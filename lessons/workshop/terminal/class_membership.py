"""`workshop --join`, `workshop --leave`: how a student's workshop enters and leaves a class."""

from django.conf import settings
from django.core.management.base import CommandError

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.member import joining, membership
from lessons.workshop.member.joining import Wish
from lessons.workshop.member.protocol import Refused
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal.workshop import Write


def require_local() -> None:
    """Raise CommandError in a mode in which several people use one workshop."""
    if settings.MODE is not Mode.LOCAL:
        raise CommandError(
            f"A workshop in the mode {settings.MODE} joins no class: it may have several users.",
            returncode=2,
        )


def join(wish: Wish, write: Write, warn: Write) -> None:
    """Join the class, unless this workshop is in it. Raises Refused and OSError."""
    try:
        joining.join_class(wish)
    except Refused as error:
        where = " It stands after --name." if error.field == "name" else ""
        raise Refused(f"{error}{where}", error.field) from None
    explain(write, warn)


def explain(write: Write, warn: Write | None = None) -> None:
    """Say which class this workshop reports to, if it is in one."""
    if known := membership.read():
        code = "your code too" if known.shares_code else "no code"
        write(
            f"You are {known.name} in the class {known.school_class}: the instructor sees your "
            f"verdicts, and {code}. To leave: {MANAGE} workshop --leave"
        )
        if warn and joining.is_readable(known.url):
            warn(f"Others in this network can read what you send to {known.url}.")


def leave(write: Write) -> None:
    """Leave the class. Raises CommandError and OSError."""
    known = membership.read()
    if known is None:
        raise CommandError("This workshop is in no class.", returncode=2)
    membership.forget()
    write(f"You have left the class {known.school_class}.")
