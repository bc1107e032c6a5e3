"""The public server as lessons/guides/serving.md starts it: Daphne behind a real nginx with TLS."""

import http.client
import json
import re
import shlex
import ssl
from contextlib import ExitStack, closing
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.setup.redis_server import RedisServer, RedisUnavailable
from tests.support.modes import PUBLIC
from tests.support.programs.nginx import nginx_for
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT, RunningProgram
from tests.support.required_programs import skip_or_fail

HOST = "chat.example.org"
PASSWORD = "a long password of this test"
GUIDE = (PROJECT_DIR / "lessons" / "guides" / "serving.md").read_text("utf-8")
TLS = ssl._create_unverified_context()  # the certificate of the test signs itself


def guide_block(language, word):
    """The block of this language that has the word."""
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)
    return next(block for block in blocks if word in block)


class PublicDaphne(RunningProgram):
    """Daphne as the guide starts it, in a copy of the project."""

    def __init__(self, project, *arguments):
        self.project, self.arguments = project, arguments

    def start(self):
        return self.project.start("-m", "daphne", *self.arguments)

    def wait_until_ready(self):
        self.port = int(self.wait_for_words("Listening on TCP address").rpartition(":")[2])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port of nginx, and Daphne."""
    folder = tmp_path_factory.mktemp("nginx")
    with ExitStack() as stack:
        try:
            redis = stack.enter_context(RedisServer())
        except RedisUnavailable as error:
            skip_or_fail(str(error))
        project = stack.enter_context(project_copy())
        own = {"DJANGO_ALLOWED_HOSTS": HOST, "REDIS_URL": redis.url}
        account = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        project.environment.update(PUBLIC | own | account)
        for line in guide_block("sh", "lessons.extras.settings").splitlines():
            program, *arguments = shlex.split(line)
            if arguments[:2] == ["manage.py", "createsuperuser"]:
                arguments += ["--no-input", "--username", "ann", "--email", "ann@a.test"]
            if program == "python3":
                project.run(*arguments)
        assert program == ".venv/bin/daphne"
        arguments[arguments.index("8001")] = "0"  # any free port
        daphne = stack.enter_context(PublicDaphne(project, *arguments))
        static = guide_block("nginx", "/static/").replace("/srv/chat", str(project.folder))
        front = stack.enter_context(nginx_for((daphne.port, daphne.port), folder, static))
        yield front, daphne


def ask(port, path, method="GET", body=None, context=TLS, **headers):
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    options = {"context": context} if context else {}
    with closing(kind("127.0.0.1", port, timeout=TEST_TIMEOUT, **options)) as connection:
        connection.request(method, path, body, {"Host": HOST, **headers})
        answer = connection.getresponse()
        return answer, answer.read().decode()


def log_in(front):
    """The session cookie of ann, and its attributes."""
    page, text = ask(front, "/auth/login/")
    token = re.search('name="csrfmiddlewaretoken" value="(.+?)"', text)[1]
    form = urlencode({"csrfmiddlewaretoken": token, "username": "ann", "password": PASSWORD})
    headers = {
        "Cookie": page.headers["Set-Cookie"].partition(";")[0],
        "Origin": f"https://{HOST}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer, _ = ask(front, "/auth/login/", "POST", form, **headers)
    assert answer.status == 302
    sent = [value for value in answer.headers.get_all("Set-Cookie") if "sessionid" in value]
    name, *attributes = sent[0].split("; ")
    return name, attributes


def open_chat(front, origin=f"https://{HOST}", path="/ws/chat/lobby/", **headers):
    return connect(
        f"wss://{HOST}{path}",
        address=("127.0.0.1", front),
        ssl=TLS,
        origin=origin,
        additional_headers=headers,
        proxy=None,
    )


def next_message(client):
    while True:
        frame = json.loads(client.recv(TEST_TIMEOUT))
        if "message" in frame:
            return frame["by"], frame["message"]


def test_a_user_and_a_guest_talk_through_tls(server):
    front, _ = server
    cookie, attributes = log_in(front)
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= {*attributes}
    with open_chat(front, Cookie=cookie) as user, open_chat(front) as guest:
        user.send(json.dumps({"message": "hello"}))
        assert next_message(user) == next_message(guest) == ("ann", "hello")


def test_the_address_of_a_client_is_the_one_that_nginx_sees(server):
    front, daphne = server
    with open_chat(front, **{"X-Forwarded-For": "6.6.6.6"}) as client:
        client.send("not JSON")
        assert daphne.wait_for_words("at 127.0.0.1: ")
    assert "6.6.6.6" not in daphne.output


@pytest.mark.parametrize(
    "origin, path",
    [("https://evil.test", "/ws/chat/lobby/"), (f"https://{HOST}", "/ws/sync/stop/")],
)
def test_rejects_another_site_and_an_unknown_path_without_a_traceback(server, origin, path):
    front, daphne = server
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        open_chat(front, origin, path).__enter__()
    assert "Traceback" not in daphne.output


def test_nginx_serves_the_static_files_and_pages_say_that_tls_is_required(server):
    front, _ = server
    page, text = ask(front, "/chat/lobby/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"].startswith("max-age=3600")
    script, _ = ask(front, re.search('src="(/static/.+?)"', text)[1])
    assert (script.status, script.headers["Server"][:5]) == (200, "nginx")


def test_without_tls_daphne_redirects_and_answers_only_a_health_check(server):
    _, daphne = server
    moved, _ = ask(daphne.port, "/chat/", context=None)
    assert (moved.status, moved.headers["Location"]) == (301, f"https://{HOST}/chat/")
    healthy, text = ask(daphne.port, "/health/", context=None, Host="10.0.0.7")
    assert (healthy.status, text.startswith("ok, open: ")) == (200, True)
