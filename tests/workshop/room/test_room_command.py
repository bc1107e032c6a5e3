"""`manage.py room`: what it refuses, what it prints, and what it does to classes."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from lessons.workshop.room import command
from lessons.workshop.room.models import Class
from lessons.workshop.setup.network_access import Mode

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(monkeypatch):
    """Run the command in this process, as in the mode of the room. The server ends at once."""
    monkeypatch.setattr(command, "enter_mode", lambda names=None: None)
    monkeypatch.setattr(command, "prepare_tables", lambda: None)
    monkeypatch.setattr(command, "serve", lambda listen, port, on_ready: on_ready(9000))

    def run(*arguments):
        output = io.StringIO()
        call_command("room", *arguments, stdout=output, stderr=output)
        return output.getvalue().splitlines()

    return run


def test_prints_how_the_instructor_and_the_students_enter(room):
    lines = room("--port", "0", "--name", "Monday")
    account = User.objects.get()
    password = lines[0].removeprefix("Sign in as instructor, password ").removesuffix(".")
    assert (account.username, account.is_staff) == ("instructor", True)
    assert account.check_password(password)
    url, code = "http://127.0.0.1:9000", Class.objects.get().code
    assert lines[1:] == [
        "Class Monday: students join on the first page of their workshop,",
        f"  address {url}, code {code}",
        f"Room ready at {url}/room/",
    ]


@pytest.mark.parametrize(
    ("arguments", "https", "url", "warns"),
    [
        (["--host", "Room.test", "--plain-http"], False, "http://room.test:9000", True),
        (["--host", "room.example.org"], True, "https://room.example.org", False),
        ([], False, "http://127.0.0.1:9000", False),
        (["--host", "::1"], False, "http://[::1]:9000", False),
    ],
)
def test_warns_of_plain_http_and_prints_the_url(room, settings, arguments, https, url, warns):
    settings.HTTPS = https
    lines = room("--port", "0", *arguments)
    assert lines[-1] == f"Room ready at {url}/room/"
    assert any(line.startswith("Warning: without HTTPS, passwords") for line in lines) is warns


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        *((["--host", one], "--plain-http") for one in ("192.0.2.1", "0.0.0.0", "a.test", "::")),
        (["--host", "a.test,b.test", "--plain-http"], "is not a name or an address"),
    ],
)
def test_refuses_what_is_unsafe_or_not_valid_with_exit_code_2(room, arguments, reason):
    with pytest.raises(CommandError, match=reason) as refused:
        room(*arguments, "--port", "0")
    assert refused.value.returncode == 2
    assert not Class.objects.exists()


def test_a_class_that_was_not_used_for_60_days_is_deleted_and_others_keep_their_code(room):
    now, days = timezone.now(), {"Monday": 59, "Friday": 61}
    for name, unused in days.items():
        Class.objects.create(name=name, last_activity=now - timedelta(days=unused))
    code = Class.objects.get(name="Monday").code
    lines = room("--port", "0", "--name", "Monday")
    assert "The class Friday was deleted: it was not used for 60 days." in lines
    assert any(line.endswith(f"code {code}") for line in lines)
    assert [one.name for one in Class.objects.all()] == ["Monday"]


def test_starts_again_unless_it_has_the_mode_and_the_names(monkeypatch, settings):
    started = []
    monkeypatch.setattr(command, "continue_in", lambda *values: started.append(values))
    settings.MODE, settings.ALLOWED_HOSTS = Mode.LOCAL, ["localhost"]
    command.enter_mode(["localhost"])
    settings.MODE = Mode.ROOM
    command.enter_mode(["room.test", "localhost"])
    assert started == [("room", "localhost,localhost"), ("room", "localhost,room.test,localhost")]
    settings.ALLOWED_HOSTS = ["localhost", "room.test"]
    command.enter_mode(["room.test", "localhost"])  # the new process has them
    assert len(started) == 2
