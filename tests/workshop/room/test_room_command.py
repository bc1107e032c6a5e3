"""`manage.py room`, as an instructor types it, and what it serves."""

import datetime
import ipaddress
import json
import os
import re
import signal
import sqlite3
import ssl
import stat
from contextlib import closing

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command
from websockets.sync.client import connect

from lessons.workshop.course.lesson_index import MANAGE
from tests.support.programs import processes
from tests.support.programs.room_program import RunningRoom, room_clone
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.room import report


@pytest.fixture(scope="module")
def clone():
    with room_clone() as project:
        yield project


@pytest.fixture
def fresh(clone):
    """The clone without the room's files."""
    for file in (clone.folder / ".workshop").glob("room*"):
        file.unlink()
    return clone


def room(clone, *arguments, **environment):
    """Run the command to its end."""
    words = ["manage.py", "room", *arguments]
    return processes.run(words, cwd=clone.folder, env={**clone.environment, **environment})


def test_three_lines_lead_from_a_fresh_clone_to_a_stored_report(fresh):
    with RunningRoom(fresh, "--name", "Monday") as started:
        lines = [line.replace(started.url, "URL") for line in started.lines]
        assert lines == [
            "Preparing the database.",
            "Board: URL/room/",
            lines[2],
            f"Class Monday, code {started.code}. A student joins with:",
            f"  {MANAGE} workshop --join URL {started.code} --name NAME",
        ]
        assert re.fullmatch(r"Sign in as instructor, password [0-9a-f]{12}\.", lines[2])
        assert max(map(len, started.lines)) <= 80
        status, page = started.ask("/room/")
        assert (status, b'name="password"' in page) == (200, True)  # after the redirect
        assert started.ask("/lessons/03-stop/")[0] == started.ask("/admin/")[0] == 404
        status, answer = started.ask("/room/join/", {"code": started.code, "name": "Ann"})
        token = json.loads(answer)["token"]
        with connect(
            f"{started.url.replace('http', 'ws')}/room/student/",
            additional_headers={"Authorization": f"Bearer {token}"},
            open_timeout=TEST_TIMEOUT,
        ) as socket:
            for frame in ({"type": "hello", "device": "d", "after": 0}, report(1)):
                socket.send(json.dumps({"type": "report", **frame}))
            assert json.loads(socket.recv(TEST_TIMEOUT))["type"] == "welcome"
            assert json.loads(socket.recv(TEST_TIMEOUT)) == {"type": "acknowledged", "sequence": 1}
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(TEST_TIMEOUT) == 0
        started.join_reader()
        assert "Traceback" not in "\n".join(started.lines)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_this_user_may_read_the_key_and_the_database(fresh):
    assert room(fresh, "--add-instructor", "grace").returncode == 0
    files = [*(fresh.folder / ".workshop").glob("room*")]
    assert {file.name for file in files} >= {"room.sqlite3", "room_key"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_each_instructor_has_another_password_and_gets_it_again(fresh):
    first = room(fresh, "--add-instructor", "grace").stdout.splitlines()[-1]
    other = room(fresh, "--add-instructor", "alan").stdout.splitlines()[-1]
    assert room(fresh, "--add-instructor", "grace").stdout == f"{first}\n"
    assert first.split()[:4] == ["Sign", "in", "as", "grace,"]
    assert first.split()[-1] != other.split()[-1]


def test_refuses_an_instructor_whose_name_no_account_can_have(fresh):
    done = room(fresh, "--add-instructor", "<b>")
    assert (done.returncode, "Enter a valid username" in done.stderr) == (2, True)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "room.example.org", "::"])
def test_refuses_other_machines_without_https_and_names_three_cures(clone, host):
    done = room(clone, "--host", host)
    assert done.returncode == 2
    assert done.stderr.startswith("CommandError: Without HTTPS, passwords and codes would cross")
    assert "--certificate FILE --key FILE" in done.stderr
    assert "DJANGO_HTTPS=proxy" in done.stderr
    assert f"room --host {host} --plain-http" in done.stderr


def test_plain_http_warns_and_serves_under_the_name(fresh):
    options = ["--host", "Room.test", "--listen", "127.0.0.1", "--plain-http"]
    with RunningRoom(fresh, *options, "--listen", "0.0.0.0") as started:
        assert "Warning: without HTTPS, passwords and reports cross the network readable." in (
            started.lines
        )
        assert started.url.startswith("http://Room.test:")


def test_behind_a_proxy_the_room_listens_at_loopback_and_prints_the_proxys_url(fresh):
    with RunningRoom(fresh, "--host", "room.example.org", DJANGO_HTTPS="proxy") as started:
        assert started.url == "https://room.example.org"
        assert not any(line.startswith("Warning") for line in started.lines)


def test_refuses_a_port_of_https_without_a_certificate(clone):
    done = room(clone, DJANGO_HTTPS="8443")
    assert done.returncode == 2
    assert "DJANGO_HTTPS=8443 needs --certificate FILE and --key FILE." in done.stderr


# A certificate


def pem_of(certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def issue(name, key, issuer=None, issuer_key=None, is_authority=False):
    """A certificate for this name, and for 127.0.0.1."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(issuer_key or key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Files: room.pem holds the room's certificate and the one between it and root.pem."""
    folder = tmp_path_factory.mktemp("certificates")
    root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = issue("root", root_key, is_authority=True)
    middle = issue("middle", middle_key, root, root_key, is_authority=True)
    (folder / "root.pem").write_bytes(pem_of(root))
    leaf = issue("room", key, middle, middle_key)
    (folder / "room.pem").write_bytes(pem_of(leaf) + pem_of(middle))
    for name, one in {"room.key": key, "other.key": root_key}.items():
        format = serialization.PrivateFormat.PKCS8
        text = one.private_bytes(serialization.Encoding.PEM, format, serialization.NoEncryption())
        (folder / name).write_bytes(text)
    return folder


def test_serves_https_with_the_whole_chain_of_a_certificate(fresh, certificates):
    files = ["--certificate", certificates / "room.pem", "--key", certificates / "room.key"]
    trusted = ssl.create_default_context(cafile=certificates / "root.pem")
    with RunningRoom(fresh, *map(str, files)) as started:
        assert started.url.startswith("https://127.0.0.1:")
        status, answer = started.ask(
            "/room/join/", {"code": started.code, "name": "Ann"}, context=trusted
        )
        assert (status, json.loads(answer)["class"]) == (200, "Class 1")
        token = json.loads(answer)["token"]
        with connect(
            f"{started.url.replace('https', 'wss')}/room/student/",
            additional_headers={"Authorization": f"Bearer {token}"},
            open_timeout=TEST_TIMEOUT,
            ssl=trusted,
        ) as socket:
            socket.send('{"type": "hello", "device": "d", "after": 0}')
            assert json.loads(socket.recv(TEST_TIMEOUT))["name"] == "Ann"


@pytest.mark.parametrize(
    "files, reason",
    [
        (("room.pem",), "Give both: --certificate FILE --key FILE"),
        (("room.pem", "other.key"), "are not a certificate and its key"),
        (("room.key", "room.key"), "are not a certificate and its key"),
        (("none.pem", "room.key"), "No such file or directory"),
    ],
)
def test_refuses_a_certificate_that_cannot_be_used(clone, certificates, files, reason):
    options = zip(("--certificate", "--key"), files, strict=False)
    words = [word for name, file in options for word in (name, str(certificates / file))]
    done = room(clone, *words)
    assert (done.returncode, reason in done.stderr) == (2, True), done.stderr


# Classes


def execute(clone, statement, *values):
    file = clone.folder / ".workshop" / "room.sqlite3"
    with closing(sqlite3.connect(file)) as database, database:
        return database.execute(statement, values).fetchall()


@pytest.fixture
def two_classes(fresh):
    """The clone with the classes Monday and Friday."""
    for name in ("Monday", "Friday"):
        with RunningRoom(fresh, "--name", name):
            pass
    return fresh


def test_a_class_keeps_its_code_and_is_deleted_by_its_name_alone(two_classes):
    codes = dict(execute(two_classes, "SELECT name, code FROM room_class"))
    assert set(codes) == {"Monday", "Friday"}
    with RunningRoom(two_classes, "--name", "Monday") as started:
        text = "\n".join(started.lines)
        assert f"Class Monday, code {codes['Monday']}." in text
        assert f"Class Friday, code {codes['Friday']}." in text
    done = room(two_classes, "--delete", "monday", "--yes")
    assert done.returncode == 2
    assert "There is no class 'monday'. There are: Friday, Monday." in done.stderr
    done = room(two_classes, "--delete", "Monday", "--yes")
    assert (done.returncode, done.stdout) == (
        0,
        "The class Monday was deleted, with 0 students and 0 reports.\n",
    )
    assert execute(two_classes, "SELECT name FROM room_class") == [("Friday",)]
    done = room(two_classes, "--delete", "Friday")  # without an answer to the question
    assert (done.returncode, done.stderr) == (1, "CommandError: Nothing was deleted.\n")


def test_a_class_is_exported_into_a_folder(two_classes, tmp_path):
    folder = tmp_path / "of monday"
    names = ["class.html", "lessons.csv", "polls.csv", "students.csv"]
    done = room(two_classes, "--export", "Monday", str(folder))
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [f"Written: {folder / name}" for name in names],
    )
    assert sorted(file.name for file in folder.iterdir()) == names
    done = room(two_classes, "--export", "Tuesday", str(folder))
    assert done.returncode == 2
    assert "There is no class 'Tuesday'." in done.stderr
    (tmp_path / "file").touch()
    done = room(two_classes, "--export", "Monday", str(tmp_path / "file"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_class_is_deleted_when_it_was_not_used_for_60_days(two_classes):
    now = datetime.datetime.now(datetime.UTC)
    for name, days in {"Monday": 59, "Friday": 61}.items():
        used = (now - datetime.timedelta(days=days)).isoformat(" ")
        execute(two_classes, "UPDATE room_class SET last_activity = ? WHERE name = ?", used, name)
    with RunningRoom(two_classes) as started:
        assert "The class Friday was deleted: it was not used for 60 days." in started.lines
    assert execute(two_classes, "SELECT name FROM room_class") == [("Monday",)]


@pytest.mark.parametrize("option", ["--add-instructor", "--delete"])
def test_an_empty_name_does_not_start_the_server(option):
    with pytest.raises(CommandError, match="Write a name") as refused:
        call_command("room", option, "")
    assert refused.value.returncode == 2
