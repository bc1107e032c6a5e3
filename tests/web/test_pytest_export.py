"""A conversation that was played on a page becomes a test that passes."""

import json
import os
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.tickets import issue
from lessons.core.catalogue import PROJECT_DIR, find
from lessons.playback.steps import parse_step
from lessons.web.exercise.pytest_export import file_name, write_test
from lessons.web.live.page_socket import new_feed_id
from tests.support.programs.processes import run

EVIL = "http://evil.lessons.localhost:8666"
SONG = '{"type": "websocket.send", "text": "now playing: hello"}'
PLAYED = {
    "accept": [
        "1 connect ?name=ada",
        "1 connect",
        "1 connect /ws/sync/subprotocol/ subprotocols=door.v1",
    ],
    "frames": ["1 connect", "1 text say \"hi\" 'ü'", "1 bytes 00ff", "1 text ", "1 bytes "],
    "stop": ["1 connect", "1 text bye", "1 connect", "1 vanish"],
    "push": ["1 connect", "wait 1.1", "1 close"],
    "http": ['1 POST "hello, world"', "2 GET", "wait 1.0", "2 close"],
    "channel": ["1 connect", "1 text tea", "1 close 4001"],
    "group": ["1 connect", "2 connect", "1 text hello", "2 vanish", "1 text again"],
    "user": ["1 connect", "2 connect as=student", "2 text auth.change_user"],
    "origin": [
        "1 connect as=student",
        f"2 connect as=student origin={EVIL}",
        f"3 connect /ws/auth/unguarded/origin/ as=student origin={EVIL}",
    ],
    "ticket": [
        "1 connect ticket=student",
        "2 connect ticket=student",
        "3 connect ticket=student/2",
        "1 close 1000",
    ],
    "logout": ["1 connect as=student", "2 connect as=student", "1 text logout"],
    "orm": ["1 connect", "1 text editors", "1 text others"],
    "replay": ["1 connect", "1 text cast off", "2 connect ?after=1", "2 text haul in"],
    "chat": [
        "1 connect as=student",
        "2 connect ?seen=0 as=instructor",
        '1 text {"message": "hello"}',
    ],
}


def test_an_exported_test_passes_and_fails_for_a_changed_consumer(tmp_path):
    sources = {
        slug: write_test(find(slug), [parse_step(step) for step in steps])
        for slug, steps in PLAYED.items()
    }
    for slug, source in sources.items():
        (tmp_path / file_name(find(slug))).write_text(source, encoding="utf-8")
    consumer = "from sync_demo.consumers import Echo\n"
    assert consumer in sources["frames"]
    changed = sources["frames"].replace(consumer, consumer.replace("Echo", "Operator as Echo"))
    (tmp_path / "test_changed_consumer.py").write_text(changed, encoding="utf-8")
    # With the conftest.py of tests/, which gives each test its own database.
    options = ["-c", "pyproject.toml", "--rootdir", ".", "-p", "conftest", "-n", "0", "-q"]
    done = run(
        ["-m", "pytest", *options, "-p", "no:cacheprovider", str(tmp_path)],
        cwd=PROJECT_DIR,
        env=os.environ | {"PYTHONPATH": "tests"},
    )
    assert f"1 failed, {len(PLAYED)} passed" in done.stdout, done.stdout
    for slug, line in {
        "accept": 'assert await next_event(client_1) == {"type": "websocket.close"}',
        "frames": 'await client_1.send_input({"type": "websocket.receive", "text": ""})',
        "stop": 'await client_1.send_input({"type": "websocket.disconnect", "code": 1006})',
        "group": f"assert await next_event(client_2) == {SONG}",
        "user": 'user_student = await log_in("student")',
        "ticket": 'assert await next_event(client_2) == {"type": "websocket.close"}',
        "orm": 'await Group.objects.acreate(name="editors")',
        "logout": 'assert await next_event(client_2) == {"type": "websocket.close", "code": 4401}',
    }.items():
        assert f"    {line}\n" in sources[slug]
    assert "django_db" not in sources["frames"]


# Who may request a test


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


def test_a_page_gets_its_test(page):
    answer = export(page, step=["1 connect", "1 text hello"]).json()
    assert answer["name"] == "test_played_02_frames.py"
    assert '"websocket.receive", "text": "hello"' in answer["source"]


def test_a_page_may_send_its_steps_as_json(page):
    text = {"client": 1, "action": "text", "arguments": {"text": "hello"}}
    connect = {"client": 1, "action": "connect", "arguments": {"query": "name=a:b"}}
    answer = export(page, step=[json.dumps(connect), json.dumps(text)]).json()
    assert '"/ws/sync/frames/?name=a%3Ab"' in answer["source"]
    assert '"websocket.receive", "text": "hello"' in answer["source"]
    for wrong in ("{", "{}", json.dumps({**text, "arguments": {}}), json.dumps([connect])):
        assert export(page, step=[wrong]).status_code == 400


def test_an_exported_test_gets_a_new_ticket_for_each_valid_one(page):
    user = User.objects.create(username="ada@b.org")
    one, other = issue(user), issue(user)
    played = [f"{client} connect ?ticket={one}" for client in "12"]
    played += [f"3 connect ?ticket={other}", "4 connect ?ticket=x:y:z"]
    source = export(page, key="18-ticket", step=played).json()["source"]
    assert one not in source
    assert other not in source
    answers = re.findall(r"\?ticket=(\S*\"[^)]*)\).*?websocket\.(accept|close)", source, re.DOTALL)
    assert answers == [
        ('" + ticket_ada_b_org', "accept"),
        ('" + ticket_ada_b_org', "close"),
        ('" + ticket_ada_b_org_2', "accept"),
        ('x%3Ay%3Az"', "close"),
    ]


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([], "Nothing has been played yet. Connect, or send a request."),
        (["1 text x"], "Nothing has been played yet. Connect, or send a request."),
        (["1 connect", "1 kill"], "A client of this page cannot do 'kill'."),
        (["1 connect", 'row auth.Group {"name": "a"}'], None),
        (
            ["1 connect", "1 text x"] * 40,
            "Send at most 40 steps and 6000 characters.",
        ),
        (["1 connect", "wait 99"], "A conversation waits at most 60 seconds."),
        (["1 connect colour=red"], None),
        (["1 connect", "1 bytes 0"], None),
    ],
)
def test_rejects_steps_that_no_page_plays_with_the_reason(page, steps, reason):
    answer = export(page, step=steps)
    assert answer.status_code == 400
    assert reason in (None, answer.json()["error"])


def test_rejects_other_pages_and_methods(page, settings):
    assert export(page, csrfmiddlewaretoken="x" * 32).status_code == 403
    assert export(page, feed=new_feed_id("another0session0key")).status_code == 404
    assert export(page, key="99-none").status_code == 404
    assert page.get("/lessons/02-frames/pytest/").status_code == 405
    settings.WORKSHOP = False
    assert export(page).status_code == 404
