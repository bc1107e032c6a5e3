"""Conversations of a page, exported as tests: each passes in this project."""

import re
import subprocess
import sys

import pytest

from lessons.workshop.course.lesson_index import PROJECT_DIR, find
from lessons.workshop.course.subjects import exercise, resolve
from lessons.workshop.engine.script.steps import Step, parse_step
from lessons.workshop.page.export import NotExportable, export_test

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
NAMES = ["a-b", "a@b", "é", "ü", "ada", "ada/2", "a\"'b", "a\\", '"""', "{x}"]
TEXTS = ["'\"\\\n\r\u2028é☃", '"""', "\\", "\x00"]
HOSTILE = {
    "query": "a='\"\\%0A\u2028",
    "subprotocols": ["a'\"\\"],
    "origin": "http://a'\"\\b",
}


def export(slug, steps, target=None):
    parsed = [step if isinstance(step, Step) else parse_step(step) for step in steps]
    lesson = find(slug)
    target = resolve(lesson, target) if isinstance(target, str) else target
    return export_test(lesson, parsed, target).source


@pytest.fixture(scope="module")
def exported():
    """The sources by name. A user of each name fails if two users share a variable."""
    stop = find("stop")
    own = exercise(stop, "exercise", stop.original)
    users = [Step("connect", {"as": name}, number) for number, name in enumerate(NAMES, 1)]
    texts = [Step("text", {"text": text}, 1) for text in TEXTS]
    echo = export("frames", PLAYED["frames"])
    return {
        **{slug: export(slug, steps) for slug, steps in PLAYED.items()},
        **{f"{slug}_right": export(slug, PLAYED[slug], "solution") for slug in ("frames", "orm")},
        "liveblog_ready": export("liveblog", ["connect"], "solution"),
        "mistake": export("stop", ["connect", "text 7"], "mistake:DoesNotRaise"),
        "exercise": export("stop", ["connect", "text 7", "text 8"], own),
        "users": export("user", users),
        "texts": export("frames", [Step("connect", HOSTILE, 1), *texts]),
        "changed": echo.replace('"text": "say', '"text": "SAY', 1),
    }


def test_exported_tests_pass_and_a_changed_one_fails(exported, tmp_path):
    for name, source in exported.items():
        (tmp_path / f"test_{name}.py").write_text(source, encoding="utf-8")
    options = ["-c", PROJECT_DIR / "pyproject.toml", "--rootdir", PROJECT_DIR, "-p", "no:randomly"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", *options, tmp_path],
        cwd=PROJECT_DIR, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    found = re.findall(r"^(PASSED|FAILED) \S*test_(\w+)\.py", done.stdout, re.MULTILINE)
    results = {name: state for state, name in found}
    assert results == {**dict.fromkeys(exported, "PASSED"), "changed": "FAILED"}, done.stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("accept", 'assert await client_1.receive_output(TIMEOUT) == {"type": "websocket.close"}'),
        ("frames", 'await client_1.send_input({"type": "websocket.receive", "text": ""})'),
        ("stop", 'await client_1.send_input({"type": "websocket.disconnect", "code": 1006})'),
        ("group", f"assert await client_2.receive_output(TIMEOUT) == {SONG}"),
        ("orm", 'await apps.get_model("auth.Group").objects.acreate(name="editors")'),
        ("mistake", 'consumer = import_string("lessons.03_stop.mistakes.DoesNotRaise")'),
        ("users", "browser_a_40_b = await log_in("),
    ],
)
def test_an_exported_test_imports_the_code_and_has_each_event(exported, name, line):
    assert line in exported[name]


@pytest.mark.parametrize(
    ("slug", "steps", "target"),
    [
        ("ticket", ["connect ticket=ada"], None),
        ("ticket", ["connect ?ticket=x:y:z"], None),
        ("token", ["connect", 'text {"token": "{token=ada}"}'], "solution"),
    ],
)
def test_a_ticket_makes_no_test_and_the_reason_names_a_proof(slug, steps, target):
    with pytest.raises(NotExportable, match=f"tests/auth_demo/test_.._{slug}.py"):
        export(slug, steps, target)
