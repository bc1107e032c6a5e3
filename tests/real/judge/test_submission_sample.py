"""A sample of the written submissions. `lesson verify --submissions` judges all of them."""

import pytest

from lessons.workshop.authoring.submissions import fault_of, read_submissions
from lessons.workshop.course.lesson_index import find

SAMPLE = {
    "communicator": ("unittest's assertions", "takes on and off in any order"),
    "group": ("an ASCII pattern that is anchored at its end", "the group's name is cut"),
    "deploy": ("the close has a reason", "closes again at the second drain"),
}


@pytest.mark.parametrize("slug", SAMPLE)
def test_a_right_and_a_wrong_submission_get_the_verdict_that_is_written(slug):
    lesson = find(slug)
    written = {one.name: one for one in read_submissions(lesson)}
    chosen = [written[name] for name in SAMPLE[slug]]
    assert [one.is_right for one in chosen] == [True, False]
    assert [fault_of(lesson, one) for one in chosen] == [None, None]
