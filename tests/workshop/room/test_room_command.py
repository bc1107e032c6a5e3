"""`manage.py room`: what it refuses, what it prints, and what it does to classes."""

import io
import os
import socket
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from lessons.workshop.course.lesson_index import MANAGE
from lessons.workshop.room import address, command
from lessons.workshop.room.address import Address
from lessons.workshop.room.command import explain
from lessons.workshop.room.models import Class
from lessons.workshop.room.store.classes import add_class

pytestmark = pytest.mark.django_db(transaction=True)
MODE = ("DJANGO_MODE", "DJANGO_ALLOWED_HOSTS", "DJANGO_HTTPS")


@pytest.fixture
def room(monkeypatch):
    """Run the command in this process, as in the mode of the room. The server ends at once."""
    monkeypatch.setattr(command, "enter_mode", lambda options=None: None)
    monkeypatch.setattr(command, "prepare_tables", lambda write: None)
    monkeypatch.setattr(command, "serve", lambda listen, port, pair, on_ready: on_ready(9000))

    def run(*arguments):
        output = io.StringIO()
        call_command("room", *arguments, stdout=output, stderr=output)
        return output.getvalue().splitlines()

    return run


def test_prints_how_the_instructor_and_the_students_enter(room):
    lines = room("--port", "0", "--name", "Monday")
    account = User.objects.get()
    password = lines[1].removeprefix("Sign in as instructor, password ").removesuffix(".")
    assert (account.username, account.is_staff) == ("instructor", True)
    assert account.check_password(password)
    url, code = "http://127.0.0.1:9000", Class.objects.get().code
    assert [lines[0], *lines[2:]] == [
        f"Board: {url}/room/",
        f"Class Monday, code {code}. A student joins with:",
        f"  {MANAGE} workshop --join {url} {code} --name NAME",
        f"Room ready at {url}/room/",
    ]


@pytest.mark.parametrize(
    ("arguments", "https", "url", "warns"),
    [
        (["--host", "Room.test", "--plain-http"], "", "http://Room.test:9000", True),
        (["--host", "room.example.org"], "proxy", "https://room.example.org", False),
        ([], "", "http://127.0.0.1:9000", False),
    ],
)
def test_warns_of_plain_http_and_prints_the_url_of_the_proxy(
    room, monkeypatch, arguments, https, url, warns
):
    monkeypatch.setenv("DJANGO_HTTPS", https)
    lines = room("--port", "0", *arguments)
    assert lines[-1] == f"Room ready at {url}/room/"
    assert any(line.startswith("Warning: without HTTPS, passwords") for line in lines) is warns


WITHOUT_HTTPS = "--certificate FILE --key FILE.* DJANGO_HTTPS=proxy.* --plain-http"
REFUSED = [
    *((["--host", host], "", WITHOUT_HTTPS) for host in ("192.0.2.1", "0.0.0.0", "a.test", "::")),
    ([], "8443", "DJANGO_HTTPS=8443 needs --certificate FILE and --key FILE."),
    (["--certificate", "a.pem"], "", "Give both: --certificate FILE --key FILE"),
    (["--certificate", "none.pem", "--key", "none.key"], "", "No such file or directory"),
    (["--add-instructor", ""], "", "Write a name"),
    (["--delete", "monday", "--yes"], "", "no class 'monday'. There are: Friday, Monday."),
    (["--export", "Tuesday", "folder"], "", "There is no class 'Tuesday'."),
]


@pytest.mark.parametrize(("arguments", "https", "reason"), REFUSED)
def test_refuses_what_is_unsafe_or_unknown_with_exit_code_2(
    room, monkeypatch, arguments, https, reason
):
    for name in ("Monday", "Friday"):
        add_class(name)
    monkeypatch.setenv("DJANGO_HTTPS", https)
    with pytest.raises(CommandError, match=reason) as refused:
        room(*arguments)
    assert refused.value.returncode == 2
    assert Class.objects.count() == 2


def test_each_instructor_has_another_password_and_gets_it_again(room):
    first, other, again = (room("--add-instructor", name) for name in ("grace", "alan", "grace"))
    assert first == again
    assert first[0].startswith("Sign in as grace, password ")
    assert first[0].split()[-1] != other[0].split()[-1]


def test_a_class_is_deleted_after_a_yes(room, monkeypatch):
    add_class("Monday")
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="Nothing was deleted") as aborted:
        room("--delete", "Monday")
    assert (aborted.value.returncode, Class.objects.count()) == (1, 1)
    done = room("--delete", "Monday", "--yes")
    assert done == ["The class Monday was deleted, with 0 students and 0 reports."]
    assert not Class.objects.exists()


def test_a_class_is_exported_into_a_folder(room, tmp_path):
    add_class("Monday")
    written = room("--export", "Monday", str(tmp_path / "of monday"))
    files = sorted((tmp_path / "of monday").iterdir())
    assert [file.suffix for file in files] == [".html", ".csv", ".csv", ".csv"]
    assert written == [f"Written: {file}" for file in files]


def test_a_class_that_was_not_used_for_60_days_is_deleted_and_others_keep_their_code(room):
    codes = {}
    for name, days in {"Monday": 59, "Friday": 61}.items():
        codes[name] = add_class(name).code
        used = timezone.now() - timedelta(days=days)
        Class.objects.filter(name=name).update(last_activity=used)
    lines = room("--port", "0")
    assert "The class Friday was deleted: it was not used for 60 days." in lines
    assert any(f"Class Monday, code {codes['Monday']}." in line for line in lines)
    assert [one.name for one in Class.objects.all()] == ["Monday"]


def test_starts_again_in_the_mode_of_the_room_under_the_names_of_its_options(monkeypatch):
    for name in MODE:
        monkeypatch.setenv(name, "")
    started = []
    monkeypatch.setattr(command.virtual_environment, "replace_process", started.append)
    monkeypatch.setattr(sys, "argv", ["manage.py", "room"])
    options = command.Options("Room.test", 9000, None, None, plain_http=True)
    with pytest.raises(SystemExit):
        command.enter_mode(options)
    assert started == [[sys.executable, "manage.py", "room"]]
    assert [os.environ[name] for name in MODE] == ["room", "Room.test", ""]
    command.enter_mode(options)  # the new process has these variables
    assert len(started) == 1


# The address that students type, if `--host` stands for all of this machine

INTERFACES = {
    "lo": ["127.0.0.1", "::1"],
    "docker0": ["172.17.0.1", "fe80::1%docker0"],
    "wlan0": ["192.168.1.5", "2001:db8::5"],
}


@pytest.mark.parametrize(
    ("host", "route", "shown", "others"),
    [
        ("0.0.0.0", "192.168.1.5", "192.168.1.5", ["172.17.0.1"]),
        ("0.0.0.0", "", "172.17.0.1", ["192.168.1.5"]),
        ("::", "", "[2001:db8::5]", []),
        ("10.0.0.1", "192.168.1.5", "10.0.0.1", []),
    ],
)
def test_shows_the_address_of_the_default_route_first(monkeypatch, host, route, shown, others):
    families = (socket.AF_INET, socket.AF_INET6)
    found = {
        name: [SimpleNamespace(address=ip, family=families[":" in ip]) for ip in addresses]
        for name, addresses in INTERFACES.items()
    }
    monkeypatch.setattr(address.psutil, "net_if_addrs", lambda: found)
    monkeypatch.setattr(address, "_address_of_default_route", lambda family: route)
    one = Address.of(host, None, "")
    assert (one.shown, one.other_addresses) == (shown, others)


def test_the_command_prints_the_other_addresses():
    lines = explain("http://192.168.1.5:9000", ["172.17.0.1", "10.8.0.2"], "secret", [])
    assert lines[-1] == "If students cannot reach this address, try 172.17.0.1 or 10.8.0.2."
