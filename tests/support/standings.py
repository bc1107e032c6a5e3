"""Standings that a student's workshop sends to the room."""

RED = {
    "claims": [{"claim": "It accepts.", "state": "green"}, {"claim": "It ends.", "state": "red"}],
    "diagnosis": "no-stop-consumer",
    "message": "It goes on.",
    "detail": "≠ x",
}


def standing(**values) -> dict:
    """A valid standing: by default, lesson 3 is red."""
    return {
        "type": "standing",
        "lesson": "stop",
        "state": "red",
        "was_green": False,
        "hints": 0,
        "verdict": RED,
        "code": "class Operator: pass",
        **values,
    }
