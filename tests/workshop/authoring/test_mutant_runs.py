"""How mutants are run: in a module that others have imported, with a list of equivalent ones."""

from itertools import chain

import pytest

from lessons.workshop.authoring.model_mutants import mutants_of_model
from lessons.workshop.authoring.mutant_runs import (
    demo_mutants,
    outdated_reasons,
    solution_mutants,
)
from lessons.workshop.course.lesson_index import lessons


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_every_equivalent_mutant_is_a_mutant(lesson):
    of_demo = chain.from_iterable(demo_mutants(lesson).values())
    assert outdated_reasons(lesson, "solution", solution_mutants(lesson)) == []
    assert outdated_reasons(lesson, "demo", of_demo) == []
    assert outdated_reasons(lesson, "model", mutants_of_model(lesson)) == []
