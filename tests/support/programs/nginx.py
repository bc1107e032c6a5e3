"""A real nginx that ends TLS, configured as in NOTES.md."""

import datetime
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lessons.workshop.authoring.notes import NOTES
from lessons.workshop.course.lesson_text import BLOCK
from lessons.workshop.terminal import workshop
from tests.support.programs.running_program import wait_until
from tests.support.required_programs import NGINX, find_program

FRAME = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
{lines}
}}
"""


def free_port() -> int:
    return workshop.free_port("127.0.0.1", 0)


@contextmanager
def nginx_for(ports: tuple[int, int], folder: Path, location: str = ""):
    """nginx in front of the servers at `ports`; yields its port, which has TLS.

    Its files are in `folder`. `location` is one more block of the server.
    """
    program = find_program(NGINX)
    make_certificate(folder)
    blocks = BLOCK.finditer(NOTES.read_text(encoding="utf-8"))
    configuration = next(block["body"] for block in blocks if block["info"] == "nginx")
    port = free_port()
    lines = configuration.replace("listen 443", f"listen 127.0.0.1:{port}")
    lines = lines.replace("    location / {", f"{location}\n    location / {{")
    for written, real in zip((8001, 8002), ports, strict=True):
        lines = lines.replace(f":{written};", f":{real};")
    lines = lines.replace("/etc/ssl", str(folder))
    file = folder / "nginx.conf"
    file.write_text(FRAME.format(folder=folder, lines=lines))
    with subprocess.Popen([program, "-c", str(file), "-p", str(folder)]) as process:
        try:
            wait_until(lambda: listens(port))
            yield port
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def make_certificate(folder: Path) -> None:
    """Write chat.key and chat.pem: a certificate that signs itself, so no client trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example.org")])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day.replace(year=2046))
    own = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "chat.key").write_bytes(own)
    signed = made.sign(key, hashes.SHA256())
    (folder / "chat.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
