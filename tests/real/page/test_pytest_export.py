"""Conversations of a page, exported as tests: each runs in a project without ours."""

import ast
import re
import sys

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.course.subjects import exercise, mistake, resolve
from lessons.workshop.engine.script.steps import Step, parse_step
from lessons.workshop.page.export.conversation_test import export_test
from lessons.workshop.page.export.step_lines import WIDTH
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
    "group": ["1 connect", "2 connect", "1 text hello", "2 vanish", "1 text again"],
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
WHOLE_FILES = ("frames", "origin", "orm")
TOKENS = ["connect", 'text {"token": "{token=ada}"}', 'text {"token": "{token=bob}"}']
NAMES = ["a-b", "a@b", "é", "ü", "ada", "ada/2", "a\"'b", "a\\", '"""', "{x}"]
TEXTS = ["'\"\\\n\r\u2028é☃", '"""', "\\", "\x00"]
HOSTILE = {
    "query": "a='\"\\%0A\u2028",
    "subprotocols": ["a'\"\\"],
    "origin": "http://a'\"\\b",
}
LIBRARIES = {"asgiref", "channels", "django", "pytest", *sys.stdlib_module_names}
PLUGINS = ("asyncio", "cacheprovider", "randomly", "xdist")
ECHO = '"type": "websocket.send", "text": text}'
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


def solution(slug):
    lesson = find(slug)
    return resolve(lesson, "solution")


def export(slug, steps, target=None):
    parsed = [step if isinstance(step, Step) else parse_step(step) for step in steps]
    return export_test(find(slug), parsed, target)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The exported tests by name. A user of each name fails if two users share a variable."""
    lesson, file = find("stop"), tmp_path_factory.mktemp("work") / "03_stop.py"
    file.write_text(UNFINISHED, encoding="utf-8")
    unfinished = exercise(lesson, "exercise", file)
    wrong = mistake(lesson, "DoesNotRaise")
    texts = [Step("text", {"text": text}, 1) for text in TEXTS]

    def users(option):
        return [Step("connect", {option: name}, number) for number, name in enumerate(NAMES, 1)]

    frames = export("frames", PLAYED["frames"])
    assert frames.source.count(ECHO) == 1
    changed = frames.source.replace(ECHO, ECHO.replace("text}", "text.upper()}"))
    return {
        **{slug: export(slug, steps) for slug, steps in PLAYED.items()},
        **{f"{slug}_file": export(slug, PLAYED[slug], solution(slug)) for slug in WHOLE_FILES},
        "tokens": export("token", TOKENS, solution("token")),
        "mistake": export("stop", ["connect", "text 7"], wrong),
        "unfinished": export("stop", ["connect", "text 7", "text 8"], unfinished),
        "users": export("user", users("as")),
        "tickets": export("ticket", users("ticket")),
        "texts": export("frames", [Step("connect", HOSTILE, 1), *texts]),
        "changed": frames._replace(source=changed),
    }


def write(tests, folder):
    """Write the tests, and beside them the apps that they say they need."""
    for name, test in tests.items():
        (folder / f"test_{name}.py").write_text(test.source, encoding="utf-8")
        for app in test.apps:
            if not (folder / app).exists():
                (folder / app).symlink_to(PROJECT_DIR / app)


def test_exported_tests_pass_with_pytest_django_and_fail_for_a_changed_consumer(exported, tmp_path):
    write(exported, tmp_path)
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    report = run_pytest(tmp_path, "-rA", without=PLUGINS)
    found = re.findall(r"^(PASSED|FAILED) test_(\w+)\.py", report, re.MULTILINE)
    results = {name: state for state, name in found}
    assert results == {**dict.fromkeys(exported, "PASSED"), "changed": "FAILED"}, report


def test_an_exported_test_with_a_database_runs_in_an_empty_folder_without_a_plugin(
    exported, tmp_path
):
    write({"orm": exported["orm"]}, tmp_path)
    report = run_pytest(tmp_path, without=(*PLUGINS, "django"))
    assert "1 passed" in report, report


def test_an_exported_test_imports_only_libraries_and_the_apps_that_it_names(exported):
    for test in exported.values():
        modules = set()
        for node in ast.walk(ast.parse(test.source)):
            if isinstance(node, ast.ImportFrom):
                modules.add(node.module)
            elif isinstance(node, ast.Import):
                modules |= {one.name for one in node.names}
        assert {module.partition(".")[0] for module in modules} <= LIBRARIES | {*test.apps}
        head = test.source.partition("import ")[0]
        assert all(f"{app}/" in head for app in test.apps)
    for slug in PLAYED:
        assert max(map(len, exported[slug].source.split("\n"))) <= WIDTH


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("accept", 'assert await client.receive_output(TIMEOUT) == {"type": "websocket.close"}'),
        ("frames", 'await client.send_input({"type": "websocket.receive", "text": ""})'),
        ("stop", 'await client.send_input({"type": "websocket.disconnect", "code": 1006})'),
        ("group", f"assert await client_2.receive_output(TIMEOUT) == {SONG}"),
        ("orm", 'await Group.objects.acreate(name="editors")'),
        ("unfinished", "with pytest.raises(KeyError, match=\"'8'\"):"),
        ("mistake", "class DoesNotRaise(Game):"),
        ("tokens", """'{"token": "' + ticket_ada + '"}'"""),
    ],
)
def test_an_exported_test_has_each_event_and_the_played_code(exported, name, line):
    spaces = r"\s+|,(?=\s*})"
    assert re.sub(spaces, "", line) in re.sub(spaces, "", exported[name].source)
