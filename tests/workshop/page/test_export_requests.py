"""The tests that a page exports: who may request one, and which conversations are refused."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.tickets import issue
from lessons.workshop.page.live.page_socket import new_feed_id
from lessons.workshop.student import progress


@pytest.fixture
def page(settings, db):
    """A client that has opened lesson 2. `client.form` is what its page posts."""
    settings.WORKSHOP = True
    client = Client(enforce_csrf_checks=True)
    client.get("/lessons/02-frames/")
    token = client.cookies["csrftoken"].value
    feed = new_feed_id(client.cookies["sessionid"].value)
    client.form = {"csrfmiddlewaretoken": token, "feed": feed, "step": ["1 connect"]}
    return client


def export(page, key="02-frames", **changes):
    return page.post(f"/lessons/{key}/pytest/", page.form | changes)


def test_an_exported_test_gets_a_new_ticket_for_each_valid_one(page):
    user = User.objects.create(username="ada@b.org")
    one, other = issue(user), issue(user)
    played = [f"{client} connect ?ticket={one}" for client in "12"]
    played += [f"3 connect ?ticket={other}", "4 connect ?ticket=x:y:z"]
    source = export(page, key="18-ticket", step=played).json()["source"]
    assert one not in source
    assert other not in source
    answers = re.findall(r"\?ticket=(\S*\"[^),]*).*?websocket\.(accept|close)", source, re.DOTALL)
    assert answers == [
        ('" + ticket_ada_40_b_2e_org', "accept"),
        ('" + ticket_ada_40_b_2e_org', "close"),
        ('" + ticket_ada_40_b_2e_org_2', "accept"),
        ('x%3Ay%3Az"', "close"),
    ]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([], "Nothing has been played yet. Connect, or send a request."),
        (["1 connect", "1 kill"], "A client of this page cannot do 'kill'."),
        (["1 connect", 'row auth.Group {"name": "a"}'], None),
        (
            ["1 connect", "1 text x"] * 40,
            "At most 40 steps with 6000 characters can be played again. "
            "Press Clear, then play a shorter conversation.",
        ),
        (["1 connect", "wait 99"], "A conversation waits at most 60 seconds."),
    ],
)
def test_rejects_steps_that_no_page_plays_with_the_reason(page, steps, reason):
    answer = export(page, step=steps)
    assert answer.status_code == 400
    assert reason in (None, answer.json()["error"])


@pytest.mark.parametrize(
    ("key", "target", "reason"),
    [
        ("03-stop", "mistake:None", "Lesson 3 has no 'mistake:None' to play."),
        ("03-stop", "../manage.py", "Lesson 3 has no '../manage.py' to play."),
        ("04-communicator", "exercise", "The exercise of lesson 4 is a test, not a consumer."),
        (
            "03-stop",
            "solution",
            "You can use the solution once your exercise was green, or once you have read it.",
        ),
    ],
)
def test_rejects_other_targets_with_the_reason(page, monkeypatch, tmp_path, key, target, reason):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    answer = export(page, key=key, target=target)
    assert (answer.status_code, answer.json()["error"]) == (400, reason)


def test_rejects_other_pages_and_methods(page, settings):
    assert export(page, csrfmiddlewaretoken="x" * 32).status_code == 403
    assert export(page, feed=new_feed_id("another0session0key")).status_code == 404
    assert export(page, key="99-none").status_code == 404
    assert page.get("/lessons/02-frames/pytest/").status_code == 405
    settings.WORKSHOP = False
    assert export(page).status_code == 404
