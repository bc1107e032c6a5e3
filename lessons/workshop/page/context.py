"""What the templates of every page may use."""

from lessons.workshop.course.lesson_index import ACCOUNTS, MANAGE
from lessons.workshop.page.live.room_status import may_join
from lessons.workshop.student.demo_accounts import password_of


def workshop(request) -> dict:
    """Whether the workshop may join a class; how to start and examine it; its accounts."""
    return {
        "may_join_class": may_join(),
        "start_command": f"{MANAGE} workshop",
        "doctor_command": f"{MANAGE} doctor",
        "workshop_accounts": {name: password_of(name) for name in ACCOUNTS},
    }
