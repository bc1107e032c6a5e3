"""The steps of a link, and of an instructor's page, as the server plays them."""

import json

import pytest
from django.test import Client

from lessons.workshop.page.live.page_socket import new_feed_id
from lessons.workshop.student import progress

STOP = "/lessons/03-stop/"


@pytest.fixture
def page(settings, db, monkeypatch, tmp_path):
    settings.WORKSHOP = True
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    client = Client()
    client.get(STOP)
    client.feed = new_feed_id(client.session.session_key)
    return client


def ask(page, what, *steps, **parameters):
    return page.get(STOP + what, {"feed": page.feed, "step": steps} | parameters)


def types(answer):
    return [event["message"]["type"] for event in answer.json()["recording"]["events"]]


def test_the_steps_of_a_page_become_text(page):
    step = {"client": 2, "action": "text", "arguments": {"text": "a"}}
    assert ask(page, "steps/", "connect", json.dumps(step)).json() == {
        "steps": ["connect", "2 text a"]
    }


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("example", "finished"),
        ("sync_demo.consumers.Operator", "finished"),
        ("solution", "finished"),
        ("mistake:DoesNotRaise", "cancelled"),
    ],
)
def test_plays_the_steps_on_the_target(page, target, last):
    answer = ask(page, "play/", "connect", "close", target=target)
    assert answer.json()["steps"] == ["connect", "close"]
    assert types(answer)[-1] == last


@pytest.mark.parametrize(
    ("target", "steps", "error"),
    [
        ("os.system", ["connect"], "Lesson 3 has no 'os.system' to play."),
        ("/etc/passwd", ["connect"], "Lesson 3 has no '/etc/passwd' to play."),
        ("mistake:None", ["connect"], "Lesson 3 has no 'mistake:None' to play."),
        ("example", [], "There are no steps to play."),
        ("example", ["wait 61"], "A conversation waits at most 60 seconds."),
        (
            "example",
            ["connect"] * 41,
            "At most 40 steps with 6000 characters can be played again. Press Clear, then play a "
            "shorter conversation.",
        ),
    ],
)
def test_refuses_what_it_does_not_play(page, target, steps, error):
    answer = ask(page, "play/", *steps, target=target)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize(
    "step",
    [
        "call add " + "[" * 2000,
        "& " * 2000 + "text a",
        '{"client": 1, "action": "text", "arguments": ' + "[" * 2000,
    ],
)
def test_refuses_a_step_that_is_nested_too_deep(page, step):
    answer = ask(page, "steps/", "connect", step)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("is nested too deep.")


def test_refuses_frames_that_a_few_words_make_too_long(page):
    long = 'text "a" * 500000', "bytes 00ff * 250001"
    assert ask(page, "steps/", *long[:1]).json() == {"steps": [*long[:1]]}
    answer = ask(page, "steps/", *long)
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "error": "The frames of these steps have more than 1000000 characters and bytes "
            "together. Repeat their texts less often."
        },
    )
