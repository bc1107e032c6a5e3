"""An exception is recognised by its message."""

import pytest

from lessons.workshop.course.diagnoses import diagnose
from lessons.workshop.engine.faults.finding import make_finding
from lessons.workshop.engine.recording.events import error_text


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


@pytest.mark.parametrize("finding", [make_finding("unheard-of"), make_finding("")])
def test_refuses_a_finding_with_an_unknown_diagnosis(finding):
    with pytest.raises(KeyError):
        diagnose(finding)
