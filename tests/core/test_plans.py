"""The plans for a class: their times add up, and each lesson has its place."""

import pytest

from lessons.core import plans
from lessons.core.catalogue import lessons

ALL = pytest.mark.parametrize("plan", plans.plans(), ids=lambda plan: plan.title)


def lessons_in_class(plan):
    parts = (part for session in plan.sessions for part in session.parts)
    return [part.lesson for part in parts if part.lesson]


@ALL
def test_each_lesson_is_taught_or_done_at_home(plan):
    taught = lessons_in_class(plan)
    assert sorted(one.number for one in (*taught, *plan.at_home)) == [
        one.number for one in lessons()
    ]


@ALL
def test_a_lesson_comes_after_those_that_it_needs(plan):
    taught = lessons_in_class(plan)
    for place, lesson in enumerate(taught):
        later = taught[place:]
        assert not [one.slug for one in lesson.needs if one in later], lesson.slug


@ALL
def test_no_taught_lesson_needs_one_that_is_done_at_home(plan):
    for lesson in lessons_in_class(plan):
        assert not [one.slug for one in lesson.needs if one in plan.at_home], lesson.slug


@ALL
def test_a_session_ends_in_time(plan):
    for session in plan.sessions:
        assert session.minutes_left >= 0, session.title


def test_each_part_begins_when_the_one_before_ends():
    data = {
        "title": "Morning",
        "begins": "09:50",
        "ends": "10:30",
        "parts": ["15 break", "5 questions"],
    }
    session = plans._session(data)
    assert [(part.begins, part.title) for part in session.parts] == [
        ("09:50", "break"),
        ("10:05", "questions"),
    ]
    assert session.minutes_left == 20
