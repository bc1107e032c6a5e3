"""A conversation that was played on a page becomes a test that passes."""

import ast
import json
import re
import sys

import pytest
from django.contrib.auth.models import User
from django.test import Client

from auth_demo.tickets import issue
from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.course.source_code import find_source
from lessons.workshop.engine.process.conversation import PlaybackLimitExceeded
from lessons.workshop.engine.process.target import Target
from lessons.workshop.engine.script.steps import Step, parse_step
from lessons.workshop.page.export import conversation_test
from lessons.workshop.page.export.conversation_test import export_test
from lessons.workshop.page.export.step_lines import WIDTH
from lessons.workshop.page.live.page_socket import new_feed_id
from lessons.workshop.student import progress
from tests.support.programs.separate_pytest import run_pytest

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
    "http": [
        '1 POST "hello, world"',
        *("2 GET", "wait 1.0", "2 close"),
        '3 POST /async/http/length/ "hello, world"',
    ],
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
    "deploy": ["1 connect", "2 GET /async/health/", "1 text hello", "wait 1.0", "1 close 1000"],
}


LIBRARIES = {"asgiref", "channels", "django", "pytest", *sys.stdlib_module_names}
PLUGINS = ("asyncio", "cacheprovider", "django", "randomly", "xdist")
# A student's file that is not finished: it breaks a rule, and its consumer raises an exception.
UNFINISHED = '''\
"""The task."""

from __future__ import annotations

from channels.consumer import SyncConsumer

ANSWERS = {"7": "Right."}


class Guess(SyncConsumer):
    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.send({"type": "websocket.send", "text": ANSWERS[event["text"]]})
'''
SETTINGS = """
SECRET_KEY = "for tests"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "auth_demo",
    "db_demo",
]
# In a file: Django never closes a connection to a database in memory, and with an open one Channels
# would use the database in a later test that must not use one.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "db.sqlite3",
        "TEST": {"NAME": "test.sqlite3"},
    }
}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
"""


def export_played(slug, target=None):
    return export_test(find(slug), [parse_step(step) for step in PLAYED[slug]], target)


def solution(slug):
    lesson = find(slug)
    return Target("solution", lesson.solution, lesson.exercise_name, lesson.exercise_base)


def write(test, folder):
    """Write the test, and beside it the apps that it says it needs."""
    (folder / test.name).write_text(test.source, encoding="utf-8")
    for app in test.apps:
        if not (folder / app).exists():
            (folder / app).symlink_to(PROJECT_DIR / app)


def assert_runs_alone(test, folder):
    write(test, folder)
    tree = ast.parse(test.source)
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {
        one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names
    }
    assert {module.partition(".")[0] for module in modules} <= LIBRARIES | {*test.apps}
    head = test.source.partition("import ")[0]
    assert [app for app in ("async_demo", "auth_demo", "db_demo") if f"{app}/" in head] == test.apps
    report = run_pytest(folder, without=PLUGINS)
    assert "1 passed" in report, report


@pytest.mark.parametrize("slug", PLAYED)
def test_an_exported_test_runs_in_an_empty_folder(slug, tmp_path):
    assert_runs_alone(export_played(slug), tmp_path)


@pytest.mark.parametrize("slug", ["frames", "origin", "orm"])
def test_a_test_of_a_whole_file_runs_in_an_empty_folder(slug, tmp_path):
    lesson = find(slug)
    test = export_played(slug, solution(slug))
    assert f"class {lesson.exercise_name}(" in test.source
    assert_runs_alone(test, tmp_path)


def test_a_test_makes_the_tokens_that_its_frames_name(tmp_path):
    steps = [
        "connect",
        'text {"token": "{token=ada}"}',
        "text hello",
        'text {"token": "{token=bob}"}',
    ]
    test = export_test(find("token"), list(map(parse_step, steps)), solution("token"))
    assert """'{"token": "' + ticket_ada + '"}'""" in test.source
    assert_runs_alone(test, tmp_path)


def test_a_test_of_a_mistake_runs_in_an_empty_folder(tmp_path):
    mistake = Target("mistake:DoesNotRaise", find("stop").mistakes, "DoesNotRaise")
    test = export_test(find("stop"), [parse_step("connect"), parse_step("text 7")], mistake)
    assert "class DoesNotRaise(Game):" in test.source
    assert "class StopsAfterAGoodEnd" not in test.source
    assert_runs_alone(test, tmp_path)


def test_a_test_of_an_unfinished_exercise_shows_what_it_does(tmp_path):
    file = tmp_path / "03_stop.py"
    file.write_text(UNFINISHED, encoding="utf-8")
    lesson = find("stop")
    target = Target("exercise", file, lesson.exercise_name, lesson.exercise_base)
    test = export_test(lesson, list(map(parse_step, ("connect", "text 7", "text 8"))), target)
    assert "\nfrom __future__ import annotations\n\nimport os\n" in test.source
    assert "The task." not in test.source
    assert 'ANSWERS = {"7": "Right."}' in test.source
    assert "with pytest.raises(KeyError, match=\"'8'\"):" in test.source
    folder = tmp_path / "empty"
    folder.mkdir()
    assert_runs_alone(test, folder)


def test_exported_tests_also_run_in_a_project_with_pytest_django(tmp_path):
    for slug in PLAYED:
        write(export_played(slug), tmp_path)
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    report = run_pytest(tmp_path, without=set(PLUGINS) - {"django"})
    assert f"{len(PLAYED)} passed" in report, report


NAMES = ["a-b", "a@b", "é", "ü", "ada", "ada/2", "a\"'b", "a\\", '"""', "{x}"]


@pytest.mark.parametrize(("slug", "option"), [("user", "as"), ("ticket", "ticket")])
def test_any_user_name_is_escaped_and_has_a_variable(slug, option, tmp_path):
    """The test also fails if two users share a variable, because it asserts who each client is."""
    steps = [Step("connect", {option: name}, number) for number, name in enumerate(NAMES, 1)]
    assert_runs_alone(export_test(find(slug), steps), tmp_path)


def test_any_text_of_a_client_is_escaped(tmp_path):
    arguments = {
        "query": "a='\"\\%0A\u2028",
        "subprotocols": ["a'\"\\"],
        "origin": "http://a'\"\\b",
    }
    texts = ["'\"\\\n\r\u2028é☃", '"""', "\\", "\x00"]
    steps = [Step("connect", arguments, 1), *(Step("text", {"text": text}, 1) for text in texts)]
    assert_runs_alone(export_test(find("frames"), steps), tmp_path)


def test_an_exported_test_fails_for_a_changed_consumer(tmp_path):
    test = export_played("frames")
    code = '"type": "websocket.send", "text": text}'
    assert test.source.count(code) == 1
    changed = test.source.replace(code, code.replace("text}", "text.upper()}"))
    write(test._replace(source=changed), tmp_path)
    assert "1 failed" in run_pytest(tmp_path, without=PLUGINS)


@pytest.mark.parametrize(
    ("slug", "line"),
    [
        ("accept", 'assert await client.receive_output(TIMEOUT) == {"type": "websocket.close"}'),
        ("frames", 'await client.send_input({"type": "websocket.receive", "text": ""})'),
        ("stop", 'await client.send_input({"type": "websocket.disconnect", "code": 1006})'),
        ("group", f"assert await client_2.receive_output(TIMEOUT) == {SONG}"),
        ("user", 'user_student = await log_in("student")'),
        ("ticket", 'assert await client_2.receive_output(TIMEOUT) == {"type": "websocket.close"}'),
        ("orm", 'await Group.objects.acreate(name="editors")'),
        (
            "logout",
            "assert await client_2.receive_output(TIMEOUT) == "
            '{"type": "websocket.close", "code": 4401}',
        ),
    ],
)
def test_an_exported_test_asserts_each_event(slug, line):
    assert re.sub(r"\s+|,(?=\s*})", "", line) in re.sub(
        r"\s+|,(?=\s*})", "", export_played(slug).source
    )


def test_a_test_without_a_database_is_short():
    source = export_played("stop").source
    assert "settings.configure()" in source
    assert "django_db" not in source
    without_consumer = source.replace(find_source("sync_demo.consumers.Operator").text, "")
    assert without_consumer.count("\n") < 55


def test_no_line_of_an_exported_test_is_too_wide():
    for slug in PLAYED:
        assert max(map(len, export_played(slug).source.split("\n"))) <= WIDTH


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
        (["1 text x"], "Nothing has been played yet. Connect, or send a request."),
        (["1 connect", "1 kill"], "A client of this page cannot do 'kill'."),
        (["1 connect", 'row auth.Group {"name": "a"}'], None),
        (
            ["1 connect", "1 text x"] * 40,
            "At most 40 steps with 6000 characters can be played again. "
            "Press Clear, then play a shorter conversation.",
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


def test_a_page_gets_a_test_of_the_target_that_it_plays(page):
    answer = export(page, key="03-stop", target="mistake:DoesNotRaise").json()
    assert "a conversation with the mistake DoesNotRaise." in answer["source"]


def test_rejects_a_conversation_of_too_many_events_with_the_cure(page, monkeypatch):
    def play(*arguments):
        raise PlaybackLimitExceeded("Cut after 2000 events.", ())

    monkeypatch.setattr(conversation_test, "play_in_turns", play)
    error = export(page).json()["error"]
    assert error.startswith("Cut after 2000 events.")
    assert error.endswith("Press Clear, then play a shorter conversation.")


def test_rejects_other_pages_and_methods(page, settings):
    assert export(page, csrfmiddlewaretoken="x" * 32).status_code == 403
    assert export(page, feed=new_feed_id("another0session0key")).status_code == 404
    assert export(page, key="99-none").status_code == 404
    assert page.get("/lessons/02-frames/pytest/").status_code == 405
    settings.WORKSHOP = False
    assert export(page).status_code == 404
