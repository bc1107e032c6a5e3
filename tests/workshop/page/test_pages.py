"""The pages that the server renders, without a browser."""

import re
from html.parser import HTMLParser

import pytest
from django.utils.html import escape

from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.engine.faults.finding import Finding
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.student import progress

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_a_lesson_has_text_source_exercise_and_panel(client, lesson):
    response = client.get(f"/lessons/{lesson.key}/")
    assert f"<h1>{escape(lesson.title)}</h1>" in text(response)
    state = response.context["state"]
    assert state["exercise"]["path"] == f"work/{lesson.folder.name}.py"
    lines = [line["number"] for line in state["source"]["lines"]]
    assert lines == list(range(lines[0], lines[0] + len(lines)))
    first = "websocket_connect" if lesson.path.startswith("/ws/") else "http_request"
    assert first in {line["method"] for line in state["source"]["lines"]}


@pytest.mark.parametrize("name", ["3", "03", "stop", "03_stop"])
def test_a_number_or_a_slug_redirects_to_the_lesson(client, name):
    response = client.get(f"/lessons/{name}/")
    assert (response.status_code, response["Location"]) == (302, "/lessons/03-stop/")


def test_a_page_starts_with_the_clients_of_its_lesson(client):
    clients = client.get("/lessons/17-origin/").context["state"]["clients"]
    identities = [(one["account"], one["origin"]) for one in clients]
    assert identities == [("student", None), ("student", "http://evil.lessons.localhost:8666")]


def test_a_students_text_is_data_and_no_markup(client):
    outcome = Outcome(
        "test_b", "<img src=x>", "red", Finding("no-accept", "it", detail="</script>")
    )
    progress.save_verdict(find("stop"), Verdict("03-stop", "exercise", (outcome,)))
    page = text(client.get("/lessons/03-stop/"))
    assert "<img" not in page
    assert r"\u003C/script\u003E" in page


# All pages


@pytest.mark.parametrize("path", ["/nothing/<b>/", "/notes/nothing/", "/lessons/<b>99/"])
def test_an_unknown_url_gets_our_page(client, settings, path):
    settings.DEBUG = True
    response = client.get(path)
    assert response.status_code == 404
    shown = text(response)
    assert "<h1>This page does not exist</h1>" in shown
    assert escape(path) in shown
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_a_course_without_the_lesson_of_the_picture_has_a_list(client, course):
    assert client.get("/").status_code == 200


# The policy


class Inline(HTMLParser):
    """Collects the tags that the policy forbids."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        handlers = [name for name in names if name == "style" or name.startswith("on")]
        is_code = tag == "script" and names.get("type") != "application/json"
        if handlers or tag == "style" or (is_code and not names.get("src")):
            self.found.append(self.get_starttag_text())
        for name in ("src", "href"):
            if (names.get(name) or "/").startswith(("http", "//")) and tag != "a":
                self.found.append(self.get_starttag_text())


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/lessons/none/", "/search/?q=group_send", "/diagnoses/", "/notes/"),
        *(f"/lessons/{x.key}/" for x in lessons()),
    ],
)
def test_a_page_has_no_inline_code_and_is_not_open_to_other_sites(client, path):
    response = client.get(path)
    assert Inline(text(response)).found == []
    assert response["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self' ws://testserver wss://testserver; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    of_django = ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")
    assert [response[name] for name in of_django] == ["DENY", "nosniff", "same-origin"]


# The servers of a cluster


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_page_of_a_cluster_offers_its_own_server_first(client, settings, host):
    settings.CLUSTER_PORTS = [8000, 8001]
    response = client.get("/lessons/03-stop/", headers={"host": f"{host}:8001"})
    hosts = [f"{host}:8001", f"{host}:8000"]
    assert [server["host"] for server in response.context["state"]["servers"]] == hosts
    allowed = re.search("connect-src 'self' (.*?);", response["Content-Security-Policy"])[1]
    assert allowed.split() == [f"{kind}://{it}" for it in hosts for kind in ("ws", "wss")]


# Links


def test_each_link_into_the_notes_leads_to_a_heading(client):
    headings = set(re.findall(r'<h\d id="([^"]+)"', text(client.get("/notes/"))))
    pages = [text(client.get(f"/lessons/{lesson.key}/")) for lesson in lessons()]
    linked = {*re.findall(r'href="/notes/#([^"]+)"', "".join(pages))}
    assert linked
    assert linked <= headings
