"""What the access logs of real servers keep of a secret, by the place where a client sends it."""

import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
from websockets.sync.client import connect

from tests.support.programs.nginx import free_port, listens, nginx_for, unverified_tls
from tests.support.programs.running_program import wait_until

APPLICATION = "tests.notes.test_access_logs:application"
SECRETS = {name: f"{name}-5ecret" for name in ("cookie", "header", "protocol", "query", "frame")}
SERVERS = {
    "daphne": ["daphne", "-b", "127.0.0.1", "-p", "{port}", APPLICATION],
    "uvicorn": ["uvicorn", "--host", "127.0.0.1", "--port", "{port}", APPLICATION],
}


async def application(scope, receive, send):
    """Accepts every client, and waits until it leaves."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@contextmanager
def logging_server(name, folder):
    """A server with its defaults; yields its port, and a function that returns its output."""
    port, file = free_port(), folder / f"{name}.log"
    command = [part.format(port=port) for part in SERVERS[name]]
    output = {"stdout": file.open("w"), "stderr": subprocess.STDOUT}
    with output["stdout"], subprocess.Popen([sys.executable, "-m", *command], **output) as process:
        try:
            wait_until(lambda: listens(port))
            yield port, file.read_text
        finally:
            process.terminate()


def visit(url, **options):
    """A client for each place of a secret."""
    with connect(f"{url}/?a=1", additional_headers={"Cookie": SECRETS["cookie"]}, **options):
        pass
    header = {"Authorization": f"Bearer {SECRETS['header']}"}
    with connect(f"{url}/?a=2", additional_headers=header, **options):
        pass
    with connect(f"{url}/?a=3", subprotocols=["a", SECRETS["protocol"]], **options):
        pass
    with connect(f"{url}/?token={SECRETS['query']}", **options):
        pass
    with connect(f"{url}/?a=5", **options) as client:
        client.send(SECRETS["frame"])


def kept(log):
    """The places of the secrets that are in the log."""
    return {name for name, secret in SECRETS.items() if secret in log}


@pytest.mark.parametrize(("name", "expected"), [("daphne", set()), ("uvicorn", {"query"})])
def test_of_the_servers_uvicorn_logs_the_query_and_daphne_the_path_only(name, expected, tmp_path):
    with logging_server(name, tmp_path) as (port, output):
        visit(f"ws://127.0.0.1:{port}", proxy=None)
        line = {"daphne": "WSCONNECT /", "uvicorn": "[accepted]"}[name]
        wait_until(lambda: output().count(line) == len(SECRETS))
        assert kept(output()) == expected


def test_nginx_logs_the_query_and_no_other_secret(tmp_path):
    file = tmp_path / "access"
    with ExitStack() as stack:
        port, _ = stack.enter_context(logging_server("daphne", tmp_path))
        proxy = stack.enter_context(nginx_for((port, port), tmp_path, access_log=file))
        visit(f"wss://127.0.0.1:{proxy}", ssl=unverified_tls(), proxy=None)
        wait_until(lambda: file.exists() and file.read_text().count(" 101 ") == len(SECRETS))
        assert kept(file.read_text()) == {"query"}
