"""The first page, the login pages, the page for an unknown URL, and compression."""

import gzip
import html

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]


@pytest.mark.parametrize("path", ["/nothing/<b>/", "/notes/nothing/"])
def test_an_unknown_url_gets_our_page(client, settings, path):
    settings.DEBUG = True
    response = client.get(path)
    assert response.status_code == 404
    shown = response.content.decode()
    assert "<h1>This page does not exist</h1>" in shown
    assert html.escape(path) in shown
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_a_page_is_sent_compressed(client):
    response = client.get("/lessons/03-stop/", headers={"accept-encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 0.4 * len(gzip.decompress(response.content))


def test_a_course_without_the_lesson_of_the_picture_has_a_list(client, course):
    assert client.get("/").status_code == 200
