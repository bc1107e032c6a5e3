"""`manage.py room` as a process: from a fresh clone to a stored report, and over HTTPS."""

import datetime
import ipaddress
import json
import os
import re
import signal
import ssl
import stat
from contextlib import contextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError
from websockets.sync.client import connect

from lessons.workshop.room.server import Certificate
from tests.support.programs.project_commands import RunningRoom, room_clone
from tests.support.programs.running_program import TEST_TIMEOUT
from tests.support.room import report


@pytest.fixture
def clone():
    with room_clone() as project:
        yield project


@contextmanager
def student_socket(room, tls=None):
    """Join as Ann. The socket of her machine is open and has received the welcome."""
    _, answer = room.ask("/room/join/", {"code": room.code, "name": "Ann"}, context=tls)
    headers = {"Authorization": f"Bearer {json.loads(answer)['token']}"}
    url = room.url.replace("http", "ws") + "/room/student/"
    options = {"open_timeout": TEST_TIMEOUT, "ssl": tls}
    with connect(url, additional_headers=headers, **options) as socket:
        socket.send('{"type": "hello", "device": "d", "after": 0}')
        assert json.loads(socket.recv(TEST_TIMEOUT))["name"] == "Ann"
        yield socket


def test_a_fresh_clone_serves_a_class_stores_a_report_and_ends_with_ctrl_c(clone):
    with RunningRoom(clone, "--name", "Monday") as started:
        assert started.lines[0] == "Preparing the database."
        assert re.fullmatch(r"[0-9a-f]{12}", started.password)
        status, page = started.ask("/room/")
        assert (status, b'name="password"' in page) == (200, True)  # after the redirect
        with student_socket(started) as socket:
            socket.send(json.dumps({"type": "report", **report(1)}))
            assert json.loads(socket.recv(TEST_TIMEOUT)) == {"type": "acknowledged", "sequence": 1}
        files = [*(clone.folder / ".workshop").glob("room*")]
        assert {file.name for file in files} >= {"room.sqlite3", "room_key"}
        if os.name != "nt":  # only this user may read names, code and the key
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        started.process.send_signal(signal.SIGINT)
        assert started.process.wait(TEST_TIMEOUT) == 0
        started.join_reader()
        assert "Traceback" not in "\n".join(started.lines)


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


def test_serves_https_with_the_whole_chain_of_a_certificate(clone, certificates):
    files = ["--certificate", certificates / "room.pem", "--key", certificates / "room.key"]
    trusted = ssl.create_default_context(cafile=certificates / "root.pem")
    with RunningRoom(clone, *map(str, files)) as started:
        assert started.url.startswith("https://127.0.0.1:")
        with student_socket(started, trusted):
            pass


@pytest.mark.parametrize("files", [("room.pem", "other.key"), ("room.key", "room.key")])
def test_refuses_a_certificate_that_does_not_fit_its_key(certificates, files):
    pair = Certificate(*(certificates / name for name in files))
    with pytest.raises(CommandError, match="are not a certificate and its key") as refused:
        pair.check()
    assert refused.value.returncode == 2
