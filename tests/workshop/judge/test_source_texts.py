"""The texts that a submission's code compares with, so that a client can send them."""

import pytest

from lessons.workshop.judge.source_texts import MAX_TEXTS, texts_in


@pytest.mark.parametrize(
    "code",
    [
        'text == "reset"',
        'text.startswith("reset")',
        '{"reset": start}[text]',
        'loads(text, salt="reset")',
        'match text:\n    case "reset":\n        start()',
    ],
)
def test_finds_a_text_that_code_compares_with(code):
    assert "reset" in texts_in(code)


@pytest.mark.parametrize(
    "code",
    [
        '"""reset"""',
        'send({"type": "websocket.accept"})',
        "text == 'reset",
    ],
)
def test_finds_nothing_else(code):
    assert texts_in(code) == []


def test_finds_the_name_of_a_private_method():
    code = "class Lobby:\n def _pong(self): ...\n def __init__(self): ...\n def send(self): ..."
    assert texts_in(code) == ["_pong"]


def test_finds_a_limited_number_of_texts():
    assert len(texts_in(f"text in {[str(number) for number in range(100)]}")) == MAX_TEXTS
