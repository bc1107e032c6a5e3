"""`manage.py workshop` and `test`: what they serve and refuse."""

import os
import socket
from contextlib import nullcontext

import pytest
from django.core.management import CommandError, call_command

from lessons.workshop.management.commands import test
from lessons.workshop.setup import virtual_environment
from lessons.workshop.setup.access_token import token
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.student import demo_accounts
from lessons.workshop.terminal import workshop


@pytest.fixture
def served(monkeypatch, settings):
    """The commands that `workshop` calls; they do not run."""
    calls = []
    monkeypatch.setattr(workshop, "call_command", lambda *names, **options: calls.append(names))
    for name in ("create_accounts", "require_safe_accounts"):
        monkeypatch.setattr(demo_accounts, name, lambda: None)
    monkeypatch.setattr(workshop, "create_copies", list)
    monkeypatch.setattr(workshop, "JudgeKeeper", lambda write: nullcontext())
    return calls


def start(host="127.0.0.1", port=0):
    call_command("workshop", reload=False, host=host, port=port)


def cluster(port):
    call_command("cluster", port=port)


@pytest.mark.parametrize("command", [start, cluster])
def test_reports_a_taken_port_in_one_line(served, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is taken"):
            command(port=port)
    assert served == []


SHARE = r"manage\.py workshop --share .*"
REFUSED = [
    *((lambda host=host: start(host), f"{SHARE} --host {host}$") for host in ("0.0.0.0", "a.test")),
    (lambda: start(host="::"), f"{SHARE} --host ::$"),
    (lambda: call_command("runserver", "0.0.0.0:0"), r"manage\.py workshop --share"),
    (lambda: start(port=70000), "no port 70000"),
]


@pytest.mark.parametrize("command, reason", REFUSED)
def test_refuses_other_machines_without_a_token_and_ports_that_do_not_exist(
    served, command, reason
):
    with pytest.raises(CommandError, match=reason):
        command()
    assert served == []


def test_a_shared_workshop_serves_other_machines(served, settings):
    settings.MODE = Mode.SHARED
    start(host="0.0.0.0")
    [command, address] = served[-1]
    assert (command, address.rpartition(":")[0]) == ("runserver", "0.0.0.0")


@pytest.mark.parametrize(
    "mode, names, https, address",
    [
        (Mode.LOCAL, [], False, "http://localhost:8000/"),
        (Mode.SHARED, [], False, "http://localhost:8000/?token="),
        (Mode.SHARED, ["a.test", "b.test"], False, "http://a.test:8000/?token="),
        (Mode.SHARED, ["a.test"], True, "https://a.test/?token="),
    ],
)
def test_the_printed_address_leads_a_browser_to_the_page(settings, mode, names, https, address):
    settings.MODE, settings.HTTPS = mode, https
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK, *names]
    expected = f"{address}{token()}" if mode is Mode.SHARED else address
    assert workshop.page_at("0.0.0.0", 8000) == expected


def test_workshop_warns_of_changed_requirements(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: True)
    monkeypatch.setattr(virtual_environment, "STAMP", tmp_path / "stamp")
    start()
    assert capsys.readouterr().err == ""
    virtual_environment.STAMP.write_text("of another requirements.txt")
    start()
    assert "requirements.txt has changed" in capsys.readouterr().err


def exit_code_of_test(*words):
    with pytest.raises(SystemExit) as ended:
        test.Command().run_from_argv(["manage.py", "test", *words])
    return ended.value.code


ALL_CORES = ["-n", str(os.cpu_count()), "--timeout", "300", "-q"]


@pytest.mark.parametrize(
    "words, arguments, leaves_out",
    [
        ([], [*ALL_CORES, "--ignore=tests/real"], True),
        (["--all"], [*ALL_CORES, "-rs"], False),
        (["-x"], ["-x", "--ignore=tests/real"], True),
        (["tests/sync_demo"], ["tests/sync_demo"], False),
    ],
)
def test_runs_all_on_all_cores_without_tests_real_and_says_what_is_left_out(
    monkeypatch, capsys, words, arguments, leaves_out
):
    started = []
    monkeypatch.setattr(pytest, "main", lambda words: started.append(words) or pytest.ExitCode.OK)
    assert (exit_code_of_test(*words), started) == (0, [arguments])
    assert ("Left out: tests/real" in capsys.readouterr().out) is leaves_out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--target solution", "--target needs a lesson: --lesson N"),
        ("--lesson 99", "There is no lesson '99'"),
        ("--lesson stop --target no_such.py", "no_such.py"),
        ("--lesson stop -x", "--lesson takes no other option than --target"),
    ],
)
def test_wrong_usage_of_test_ends_with_2(capsys, words, reason):
    assert exit_code_of_test(*words.split()) == 2
    assert reason in capsys.readouterr().err
