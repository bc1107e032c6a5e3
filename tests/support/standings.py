"""Standings that a student's workshop sends to the room."""


def standing(**values) -> dict:
    """A valid standing: by default, lesson 3 is red."""
    return {
        "type": "standing",
        "lesson": "stop",
        "state": "red",
        "was_green": False,
        "hints": 0,
        "claims": [
            {"claim": "It accepts.", "state": "green"},
            {"claim": "It ends.", "state": "red"},
        ],
        "diagnosis": "no-stop-consumer",
        "title": "The consumer did not stop when its client had left",
        "message": "It goes on.",
        "detail": "≠ x",
        "code": "class Operator: pass",
        **values,
    }
