"""The plans for a class: their times add up, and each lesson has its place."""

import pytest

from lessons.workshop.course import plans
from lessons.workshop.course.lesson_index import lessons

ALL = pytest.mark.parametrize("plan", plans.plans(), ids=lambda plan: plan.title)


def test_no_core_lesson_needs_an_optional_one():
    optional = plans.optional_lessons()
    core = [one for one in lessons() if one not in optional]
    assert not [one.slug for one in core if set(one.needs) & set(optional)]


@ALL
def test_a_taught_lesson_comes_after_those_that_it_needs(plan):
    for place, lesson in enumerate(plan.taught):
        later = (*plan.taught[place:], *plan.at_home)
        assert not [one.slug for one in lesson.needs if one in later], lesson.slug


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
