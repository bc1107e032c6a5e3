"""Each sentence of an exercise is asked by a method of the model, by a claim, or has a reason."""

import pytest

from lessons.workshop.authoring.promises import faults_of_promises

DOCSTRING = '''"""Lesson 1: a lamp.

Text comes back. After `bye`, the lamp
closes:

- with the code 1000.
- Lamps are bright.
"""
'''
PROMISES = 'PROMISES = {"After `bye`": "test_closes_on_bye", "with the code": "test_closes_on_bye"'


def faults(lesson, promises, quote="Text comes back."):
    lesson.original.write_text(DOCSTRING)
    text = lesson.check.read_text().replace('Text comes back, and "bye" closes', quote)
    lesson.check.write_text(f"{text}\n\n{promises}}}\n")
    return [*faults_of_promises(lesson)]


@pytest.mark.parametrize(
    ("promises", "quote", "expected"),
    [
        (', "Lamps are": "This is no promise."', "Text comes back.", []),
        ("", "Text comes back.", ["nothing asks for this sentence: Lamps are bright."]),
        (
            *(', "Lamps are": "explores"', "Text comes"),
            ["receive quotes a part of a clause: Text comes"],
        ),
        (
            *(', "Lamps are": ("explores", "test_nix")', "Text comes back."),
            ["PROMISES names what check.py does not have: test_nix"],
        ),
        (
            *(', "Lamps": "explores", "Lamps burn": "explores"', "Text comes back"),
            ["PROMISES does not quote the exercise: Lamps burn"],
        ),
        (
            *(', "Lamps": "explores"', "It repeats text."),
            [
                "receive does not quote the exercise: It repeats text.",
                "nothing asks for this sentence: Text comes back.",
            ],
        ),
    ],
)
def test_lists_what_nothing_asks_for_and_what_is_quoted_wrongly(lesson, promises, quote, expected):
    assert faults(lesson, PROMISES + promises, quote) == expected


@pytest.mark.parametrize("promise", ['"Lamps are dark."', "DARK"])
def test_lists_what_the_check_quotes_wrongly_for_a_message(lesson, promise):
    send = f'client.send("on", promise={promise})\n\n\nDARK = "Lamps are dark."'
    lesson.check.write_text(f"{lesson.check.read_text()}\n\ndef on(client):\n    {send}\n")
    asked = PROMISES + ', "Lamps are": "explores"'
    wrong = ["promise_of or promise= does not quote the exercise: Lamps are dark."]
    assert faults(lesson, asked) == wrong
