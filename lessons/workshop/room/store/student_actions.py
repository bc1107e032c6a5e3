"""What a student does besides reporting: raises a hand, votes."""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from lessons.workshop.member.protocol import InvalidFrame
from lessons.workshop.room.models import Poll, Student, Vote


def raise_hand(student_id: int, raised: bool) -> None:
    """A hand that is raised again keeps its time: the queue is fair."""
    student = Student.objects.filter(pk=student_id, hand_raised_at__isnull=raised)
    when = timezone.now() if raised else None
    student.update(hand_raised_at=when, version=F("version") + 1)


def vote(student_id: int, class_id: int, poll: int, round: int, answer: str) -> None:
    """Store the student's answer. Raises InvalidFrame where the poll does not accept it."""
    try:
        with transaction.atomic():
            # The lock: a poll that closes now counts either this vote, or none that come later.
            locked = Poll.objects.select_for_update()
            found = locked.filter(pk=poll, school_class=class_id).first()
            if found is None or found.state != "open" or found.round != round:
                raise InvalidFrame("This poll does not accept answers any more.")
            Vote.objects.create(poll=found, student_id=student_id, round=round, answer=answer)
    except IntegrityError:
        raise InvalidFrame("You have answered this question in this round.") from None
