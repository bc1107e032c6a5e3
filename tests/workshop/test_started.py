"""A program that a test has started, when it ends under the test's hands."""

import os

from lessons.catalogue import PROJECT_DIR
from tests.workshop.started import start


def test_a_signal_to_what_is_just_over_is_lost():
    with open(os.devnull, "w") as nothing:
        for _ in range(20):  # it is over some time before that is told: a few hit the gap
            process = start(["-m", "this"], cwd=PROJECT_DIR, stdout=nothing)
            process.kill()
            while process.poll() is None:
                process.terminate()
            assert process.wait() != 0
