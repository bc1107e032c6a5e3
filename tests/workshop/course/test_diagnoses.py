"""An exception is recognised by its message."""

import pytest

from lessons.workshop.course.diagnoses import advice_of, catalogue, diagnose, title_of
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.engine.recording.events import error_text
from lessons.workshop.judge.naming import VAGUE


@pytest.mark.parametrize(
    ("error", "diagnosis"),
    [
        (ValueError("No handler for message type websocket.disconnect"), "no-disconnect-handler"),
        (ValueError("No handler for message type chat.message"), "no-handler"),
        (KeyError("text"), "text-on-binary"),
        (KeyError("colour"), "exception"),
        (ValueError("No route found for path 'ws/chat/'."), "no-route"),
        (RuntimeError("Event loop is closed"), "loop-closed"),
        # The words of Python up to 3.13, and those of 3.14.
        (
            TypeError("object NoneType can't be used in 'await' expression"),
            "def-handler-in-async-consumer",
        ),
        (TypeError("'NoneType' object can't be awaited"), "def-handler-in-async-consumer"),
        (TypeError("'DatabaseSyncToAsync' object can't be awaited"), "not-called"),
        (RecursionError("maximum recursion depth exceeded"), "recursion"),
        (
            RecursionError("Stack overflow (used 8156 kB) while decoding a JSON array"),
            "nested-too-deep",
        ),
        (SystemExit(1), "calls-exit"),
    ],
)
def test_an_exception_is_recognised_by_its_message(error, diagnosis):
    finding = make_finding("exception", raised=error_text(error))
    assert diagnose(finding).diagnosis == diagnosis


@pytest.mark.parametrize(
    ("raised", "instead", "diagnosis"),
    [
        ("ValueError: No handler for message type job", {}, "no-handler"),
        ("ValueError: No handler for message type job", {"no-handler": "zombie"}, "zombie"),
        ("ValueError: No handler for message type job", {"no-handler": "exception"}, "job-raises"),
        ("ZeroDivisionError: division by zero", {}, "job-raises"),
    ],
)
def test_a_finding_gets_the_diagnosis_of_what_the_code_raised(raised, instead, diagnosis):
    finding = make_finding("job-raises", raised=raised, instead=instead)
    assert diagnose(finding) == make_finding(diagnosis)


@pytest.mark.parametrize(
    ("diagnosis", "raised", "title", "is_usual"),
    [
        ("exception", "KeyError: 'user'", "The code raised an exception", True),
        ("exception", "RecursionError: maximum recursion", "The code raised an exception", True),
        (
            "task-died",
            "ValueError: No handler for message type x",
            "An exception ended a task",
            True,
        ),
        ("exception", "ValueError: No route found for path ''", "No route matches the path", False),
        ("stuck", "", "The code does not come to an end", True),
        ("zombie", "", "The consumer stopped, and the socket stayed open", False),
    ],
)
def test_a_cause_that_was_not_observed_is_called_the_usual_one(diagnosis, raised, title, is_usual):
    finding = diagnose(make_finding(diagnosis, raised=raised))
    advice = advice_of(finding)
    assert title_of(finding) == title
    assert advice.is_usual is is_usual
    assert advice.cause.startswith(f"{catalogue()[finding.diagnosis].title}. ") == bool(
        finding.seen
    )


def test_what_only_messages_show_has_no_certain_cause():
    says_only_what_came = {"reply-differs", "reply-too-many", "exception"}
    certain = {name for name in VAGUE if not catalogue()[name].usual}
    assert certain == says_only_what_came


@pytest.mark.parametrize("finding", [make_finding("unheard-of"), make_finding("")])
def test_refuses_a_finding_with_an_unknown_diagnosis(finding):
    with pytest.raises(KeyError):
        diagnose(finding)
