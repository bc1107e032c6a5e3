"""`manage.py doctor`: what each check says about a machine, and how the report shows it."""

import json
import os
import socket
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from lessons.workshop.course import demo_accounts
from lessons.workshop.setup import external_programs, network_access, virtual_environment
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import doctor
from lessons.workshop.terminal.doctor import project_checks, system_checks
from lessons.workshop.terminal.doctor.project_checks import packages, redis
from lessons.workshop.terminal.doctor.report import OK, OPTIONAL, WRONG, Row
from lessons.workshop.terminal.doctor.system_checks import (
    environment,
    port,
    proxy,
    python,
    sandbox,
)
from tests.support.modes import KEY, SHARED

SECRET = "a-password-that-no-report-shows"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="fake programs are shell scripts")


# The state of a machine. Each function returns what brings it about in a folder.


def program(name, text=""):
    """The PATH has this program, which prints the text."""

    def create(folder, patch):
        (folder / name).write_text(f"#!/bin/sh\necho '{text}'\n")
        (folder / name).chmod(0o755)

    return create


def locks(line):
    """requirements.txt locks only this."""
    return lambda folder, patch: (folder / "requirements.txt").write_text(line)


def old_python(folder, patch):
    patch.setattr(sys, "version_info", (3, 10, 13))


def no_packages(folder, patch):
    patch.setattr(system_checks, "has_packages", lambda: False)


def needs_proxy(folder, patch):
    patch.setenv("HTTPS_PROXY", f"http://ada:{SECRET}@a.test:1")


def forbidden(folder, patch):
    patch.setattr(system_checks, "_kernel_setting", lambda name: "1")


def file_named_work(folder, patch):
    (folder / "work").touch()


def work_folder():
    return system_checks.folder("work")


def node():
    return system_checks.program(external_programs.NODE)


@pytest.fixture
def machine(tmp_path, monkeypatch, settings):
    """A machine without proxies, Redis, rights of root, or programs on its PATH."""
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name.startswith(("REDIS_", "DJANGO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system_checks, "PROGRAM_TIMEOUT", 60)
    monkeypatch.setattr("lessons.workshop.setup.redis_server.find_spec", lambda name: None)
    monkeypatch.setattr(virtual_environment, "PROJECT", tmp_path)
    monkeypatch.setattr(virtual_environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(virtual_environment, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(virtual_environment, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(virtual_environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    settings.REDIS_URL = ""
    return tmp_path


NO_NAMESPACES = program("bwrap", '0.8.0\'\n[ "$1" = --version ] || exit 1 #')
REMAKE = "rm -rf .venv && python3 manage.py lesson"
SYSCTL = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
# The check, and the state of the machine; the state, the text, and the command of its row.
STATES = [
    (python, [], OK, sys.executable, ""),
    (python, [old_python], WRONG, "the workshop needs 3.11. Install a newer one", ""),
    (python, [old_python, program("python3.12")], WRONG, "Use ", "python3.12 manage.py doctor"),
    (environment, [no_packages], WRONG, "There is no .venv yet.", "python3 manage.py lesson"),
    (packages, [locks("a==1 ; sys_platform == 'amiga'")], OK, "requirements.txt: django ", ""),
    (packages, [locks("lacking==1")], WRONG, "Not installed: lacking.", REMAKE),
    (work_folder, [], OK, "Is created when needed.", ""),
    (work_folder, [file_named_work], WRONG, "is a file.", "mv work work.old"),
    (lambda: port(0), [], OK, "is free.", ""),
    (proxy, [], OK, "No variable names one.", ""),
    (proxy, [needs_proxy], OPTIONAL, "also used for 127", 'export NO_PROXY="127.0.0.1,localhost"'),
    (node, [], OPTIONAL, "Is not installed: see https://nodejs.org.", ""),
    (node, [program("apt-get")], OPTIONAL, "Is not installed.", "sudo apt-get install nodejs"),
    (sandbox, [program("bwrap", "0.8.0")], OK, "namespaces are permitted", ""),
    (sandbox, [NO_NAMESPACES, forbidden], OPTIONAL, "cannot create namespaces", SYSCTL),
    (redis, [program("redis-server", "v=7.0.15")], OK, "`cluster` starts 7.0.15 at ", ""),
]


@pytest.mark.parametrize("check, states, state, text, cure", STATES)
def test_each_state_has_its_row(machine, monkeypatch, check, states, state, text, cure):
    for prepare in states:
        prepare(machine, monkeypatch)
    row = check()
    assert row.state == state
    assert text in row.text
    assert row.cure.startswith(cure) if cure else row.cure == ""
    assert SECRET not in str(row)


def test_a_port_of_another_program_is_wrong_and_that_of_a_workshop_is_right(monkeypatch):
    monkeypatch.setattr(system_checks, "HTTP_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        row = port(number)
        assert row.text.startswith(f"Another program has port {number} of 127.0.0.1")
        assert row.cure.startswith("python3 manage.py workshop --port ")
        monkeypatch.setattr(system_checks, "is_workshop", lambda number: True)
        assert (row.state, port(number).state) == (WRONG, OK)


def test_the_file_of_the_key_is_for_its_user_alone(settings, tmp_path, monkeypatch):
    monkeypatch.delenv("DJANGO_SECRET_KEY", raising=False)
    settings.MODE, settings.STATE_DIR = Mode.SHARED, tmp_path
    network_access.Access.read({"DJANGO_MODE": "shared"}, tmp_path)
    assert project_checks.key().state == OK
    file = tmp_path / "secret_key"
    file.chmod(0o644)
    row = project_checks.key()
    assert (row.state, row.cure) == (WRONG, f'chmod 600 "{file}"')
    assert file.read_text() not in str(row)
    monkeypatch.setenv("DJANGO_SECRET_KEY", KEY)
    assert project_checks.key() == Row("Key", OK, "From DJANGO_SECRET_KEY.")


@pytest.fixture
def database(monkeypatch):
    """The test's database counts as a file that exists, with any time to wait for it."""
    monkeypatch.setattr(project_checks, "_sqlite_file_is_missing", lambda: False)
    monkeypatch.setattr(project_checks, "_limit_waiting", lambda: None)
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    return monkeypatch


@pytest.mark.django_db(transaction=True)
def test_an_account_whose_password_is_known_is_wrong_where_others_sign_in(settings, database):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MODE = Mode.SHARED
    assert project_checks.accounts().state == OK
    User.objects.create_user("instructor", password="instructor")
    row = project_checks.accounts()
    assert (row.state, row.cure) == (WRONG, "python3 manage.py changepassword instructor")


def test_accounts_that_no_query_can_check_are_wrong(settings, database):
    def fail():
        raise DatabaseError(f"no server for {SECRET}.\nIs it running?")

    settings.MODE = Mode.DEPLOYED
    database.setitem(settings.DATABASES["default"], "PASSWORD", SECRET)
    database.setattr(demo_accounts, "account_with_known_password", fail)
    row = project_checks.accounts()
    text = "Not checked, because of the database: no server for ***."
    assert (row.state, row.text) == (WRONG, text)


def test_a_redis_that_does_not_answer_is_wrong_without_its_password(settings):
    settings.REDIS_URL = f"redis://:{SECRET}@127.0.0.1:1/0"
    row = redis()
    assert (row.state, row.cure) == (WRONG, "unset REDIS_URL")
    assert SECRET not in str(row)


RED = {"problem": None, "outcomes": [{"finding": {}}, {"finding": {"id": 1}}], "seconds": 0.25}
CHECK = "python3 manage.py lesson check 1"


@pytest.mark.parametrize(
    "stdout, stderr, state, text, cure",
    [
        (json.dumps(RED), "", OK, "red, as it must be: 250 ms", ""),
        ('{"problem": null, "outcomes": [{"finding": null}]}', "", WRONG, "", CHECK),
        ("", "Traceback:\n  File x\nOSError: no room\n", WRONG, "OSError: no room", CHECK),
    ],
)
def test_a_red_exercise_proves_that_the_judge_works(monkeypatch, stdout, stderr, state, text, cure):
    seen = []

    def run(command, variables):
        seen.append(variables)
        return subprocess.CompletedProcess([], 1, stdout.encode(), stderr.encode())

    for name, value in {**SHARED, "REDIS_URL": "x", "DATABASE_URL": "y", "LANG": "C"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(doctor, "_run", run)
    [row] = doctor.judge_row(sys.executable)
    assert (row.state, row.cure) == (state, cure)
    assert text in row.text
    assert seen[0].keys().isdisjoint({*SHARED, "REDIS_URL", "DATABASE_URL"})
