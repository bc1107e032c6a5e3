"""`manage.py doctor`: what each check says about a machine, and how the report shows it."""

import errno
import io
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from lessons.workshop.course import demo_accounts
from lessons.workshop.page import token_check
from lessons.workshop.setup import external_programs, network_access, virtual_environment
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import doctor
from lessons.workshop.terminal.doctor import project_checks, report, system_checks
from lessons.workshop.terminal.doctor.project_checks import packages, redis
from lessons.workshop.terminal.doctor.report import OK, OPTIONAL, WRONG, Row
from lessons.workshop.terminal.doctor.system_checks import (
    environment,
    port,
    proxy,
    python,
    sandbox,
    system,
)
from tests.support.modes import KEY, SHARED

SECRET = "a-password-that-no-report-shows"
ROWS = [
    Row("Python", OK, "3.12.1 at /usr/bin/python3."),
    Row("Node", OPTIONAL, "Is not installed.", "tests " * 30, f"sudo {'very-long-command ' * 9}"),
    Row("Port", WRONG, "Another program has port 8000 of 127.0.0.1.", "", "type this"),
]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="fake programs are shell scripts")


# The state of a machine. Each function returns what brings it about in a folder.


def answers(module, name, value):
    """A function of this module returns this value."""
    return lambda folder, patch: patch.setattr(module, name, lambda *_, **__: value)


def constant(module, name, value):
    return lambda folder, patch: patch.setattr(module, name, value)


def variables(**values):
    return lambda folder, patch: [patch.setenv(name, value) for name, value in values.items()]


def program(name, text="", code=0):
    """The PATH has this program, which prints the text."""

    def create(folder, patch):
        (folder / name).write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
        (folder / name).chmod(0o755)

    return create


def locks(line):
    """requirements.txt locks only this."""
    return lambda folder, patch: (folder / "requirements.txt").write_text(line)


def venv(stamp=None):
    """A .venv with this stamp, or none. Other Pythons have no Django."""

    def create(folder, patch):
        patch.setattr(system_checks, "has_packages", lambda: False)
        locks("django")(folder, patch)
        if stamp is not None:
            virtual_environment.VENV.mkdir()
            virtual_environment.PYTHON.symlink_to(sys.executable)
            wanted = virtual_environment.wanted_stamp()
            virtual_environment.STAMP.write_text(stamp.replace("WANTED", wanted))

    return create


def work(create, error=None):
    """work/ is a folder or a file. To write there fails with the error of this number."""

    def prepare(folder, patch):
        def fail(dir):
            raise OSError(error, os.strerror(error))

        create(folder / "work")
        if error:
            patch.setattr(tempfile, "TemporaryFile", fail)

    return prepare


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


OLD_PYTHON = constant(sys, "version_info", (3, 10, 13))
WSL = answers(platform, "release", "5.15-microsoft-standard-WSL2")
ON_C = constant(virtual_environment, "PROJECT", "/mnt/c/channels")
INSIDE, OUTSIDE = (answers(virtual_environment, "is_inside", one) for one in (True, False))
NO_NAMESPACES = program("bwrap", '0.8.0\'\n[ "$1" = --version ] || exit 1 #')
FORBIDDEN = answers(system_checks, "_kernel_setting", "1")
OTHERS = variables(http_proxy="http://a.test:1", NO_PROXY="localhost,127.0.0.1")
ALL = variables(HTTPS_PROXY=f"http://ada:{SECRET}@a.test:1")
PART = variables(ALL_PROXY="http://a.test:1", no_proxy="localhost")
OF_OTHER_USER = answers(os, "getuid", 4242)
MAKE, REMAKE = "python3 manage.py lesson", "rm -rf .venv && python3 manage.py lesson"
CHOWN = 'sudo chown -R "$(id -un)" "'
SYSCTL = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
DISK = "on a disk of Windows, which is slow"
# The check, and the state of the machine; the state, the text, and the command of its row.
STATES = [
    (python, [], OK, sys.executable, ""),
    (python, [OLD_PYTHON], WRONG, "the workshop needs 3.11. Install a newer one", ""),
    (python, [OLD_PYTHON, program("python3.12")], WRONG, "Use ", "python3.12 manage.py doctor"),
    (environment, [venv("WANTED")], OK, "manage.py continues inside .venv", ""),
    (environment, [venv("old")], WRONG, "has changed since .venv was made.", MAKE),
    (environment, [venv()], WRONG, "There is no .venv yet.", MAKE),
    (packages, [locks("a==1 ; sys_platform == 'amiga'")], OK, "requirements.txt: django ", ""),
    (packages, [locks("lacking==1")], WRONG, "Not installed: lacking. Create .venv again:", REMAKE),
    (packages, [locks("django==1.0"), INSIDE], WRONG, "Different from requirements.txt: ", REMAKE),
    (packages, [locks("django==1.0"), OUTSIDE], OPTIONAL, "Different from requirements.txt: ", ""),
    (work_folder, [], OK, "Is created when needed.", ""),
    (work_folder, [work(os.mkdir)], OK, "Can be written.", ""),
    (work_folder, [work(os.mknod)], WRONG, "is a file.", "mv work work.old"),
    (work_folder, [work(os.mkdir, errno.ENOSPC)], WRONG, "Make room on its disk", ""),
    (work_folder, [work(os.mkdir, errno.EACCES), OF_OTHER_USER], WRONG, "Cannot write in ", CHOWN),
    (lambda: port(0), [], OK, "is free.", ""),
    (lambda: port(70000), [], WRONG, "There is no port 70000. The last one is 65535.", ""),
    (proxy, [], OK, "No variable names one.", ""),
    (proxy, [OTHERS], OK, "http_proxy: not used for 127.0.0.1 and localhost.", ""),
    (proxy, [ALL], OPTIONAL, "also used for 127", 'export NO_PROXY="127.0.0.1,localhost"'),
    (proxy, [PART], OPTIONAL, "for 127.0.0.1, so", 'export no_proxy="$no_proxy,127.0.0.1"'),
    (system, [WSL], OK, "(WSL).", ""),
    (system, [WSL, ON_C], OPTIONAL, DISK, 'cp -r "/mnt/c/channels" ~/'),
    (node, [program("node", "v20.1.0")], OK, "20.1.0 at ", ""),
    (node, [program("node", "not found", 127)], OPTIONAL, "/node does not start: not found", ""),
    (node, [], OPTIONAL, "Is not installed: see https://nodejs.org.", ""),
    (node, [program("apt-get")], OPTIONAL, "Is not installed.", "sudo apt-get install nodejs"),
    (node, [program("brew")], OPTIONAL, "Is not installed.", "brew install node"),
    (sandbox, [program("bwrap", "0.8.0")], OK, "namespaces are permitted", ""),
    (sandbox, [NO_NAMESPACES, FORBIDDEN], OPTIONAL, "cannot create namespaces", SYSCTL),
    (redis, [program("apt-get")], OPTIONAL, "No redis-server", "sudo apt-get install redis-server"),
    (redis, [program("redis-server", "v=7.0.15")], OK, "`cluster` starts 7.0.15 at ", ""),
    (redis, [variables(REDIS_SERVER="")], OPTIONAL, "REDIS_SERVER is empty", "unset REDIS_SERVER"),
]


@pytest.mark.parametrize("check, states, state, text, cure", STATES)
def test_each_state_of_a_machine_has_its_row(
    machine, monkeypatch, check, states, state, text, cure
):
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
        monkeypatch.setattr(system_checks, "is_workshop", lambda number: True)
        assert port(number).state == OK
    assert (row.state, row.text.partition(":")[0]) == (
        WRONG,
        f"Another program has port {number} of 127.0.0.1",
    )
    assert row.cure.startswith("python3 manage.py workshop --port ")


@pytest.mark.django_db
def test_a_workshop_is_known_by_its_pages():
    local, shared = system_checks.WORKSHOP_PAGES
    assert local in Client().get("/").content[:4096]
    assert shared in token_check.PAGE


# Settings, accounts and the database


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
    settings.MODE = Mode.LOCAL
    assert project_checks.accounts() is None


def test_accounts_that_no_query_can_check_are_wrong(settings, database):
    def fail():
        raise DatabaseError(f"no server for {SECRET}.\nIs it running?")

    settings.MODE = Mode.DEPLOYED
    database.setitem(settings.DATABASES["default"], "PASSWORD", SECRET)
    database.setattr(demo_accounts, "account_with_known_password", fail)
    row = project_checks.accounts()
    text = "Not checked, because of the database: no server for ***."
    assert (row.state, row.text) == (WRONG, text)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "in_workshop, to_run, state, cure",
    [(True, 0, OK, ""), (True, 2, OK, ""), (False, 2, WRONG, "python3 manage.py migrate")],
)
def test_a_deployed_database_needs_its_migrations(
    settings, database, in_workshop, to_run, state, cure
):
    settings.WORKSHOP = in_workshop
    if to_run:
        database.setattr(project_checks, "_migrations_to_run", lambda: to_run)
    row = project_checks.database()
    assert (row.state, row.cure) == (state, cure)
    assert ("2 migrations to run" if to_run else "all migrations have run") in row.text


@pytest.mark.parametrize("url", [f"redis://:{SECRET}@127.0.0.1:1/0", "redis://127.0.0.1:port"])
def test_a_redis_that_does_not_answer_is_wrong_without_its_password(settings, url):
    settings.REDIS_URL = url
    row = redis()
    assert (row.state, row.cure) == (WRONG, "unset REDIS_URL")
    assert SECRET not in str(row)


# The judge


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


# The report


@pytest.mark.parametrize("columns, limit", [("80", 80), ("200", 100)])
def test_the_text_fits_the_terminal_and_leaves_commands_in_one_piece(monkeypatch, columns, limit):
    monkeypatch.setenv("COLUMNS", columns)
    lines = report.as_text(ROWS, io.StringIO(), colours=False).splitlines()
    command = ROWS[1].cure
    assert f"{' ' * 17}{command}" in lines
    assert limit - 15 < max(len(line) for line in lines if command not in line) <= limit


@pytest.mark.parametrize(
    "count, last",
    [
        (3, "Repair this: Port. Optional: Node."),
        (2, "The workshop works. Missing or limited, but optional: Node."),
        (1, "Everything works."),
    ],
)
def test_the_last_line_says_what_to_repair(count, last):
    shown = report.as_text(ROWS[:count], io.StringIO(), colours=False)
    assert shown.splitlines()[-1] == last
    assert report.works(ROWS[:count]) is (count < 3)


def test_the_command_prints_text_or_json_and_ends_with_1_if_something_is_wrong(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda port: ROWS[:2] if port == 8000 else ROWS)
    output = io.StringIO()
    call_command("doctor", stdout=output)
    assert output.getvalue().endswith("optional: Node.\n")
    output = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", "--port", "1", stdout=output)
    assert ended.value.code == 1
    found = json.loads(output.getvalue())
    assert (found["works"], found["rows"][2]) == (False, {**ROWS[2]._asdict()})
