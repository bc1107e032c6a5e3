"""The part of the first page with which a student joins a class and leaves it."""

from html import unescape

import pytest

from lessons.workshop.member import joining, membership
from tests.support.join_server import JOINED, answering_room

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]

MARKUP = '<img src=x onerror="document.title=1">'


def typed(url, **values):
    return {"url": url, "code": "K7QM-3XTD", "name": "Ann", **values}


def value_of(page, field):
    """What the form has in this field."""
    return page.split(f'name="{field}" value="')[1].split('"')[0]


def test_joins_shows_the_class_and_leaves_it(client):
    with answering_room(200, JOINED) as (url, requests):
        answer = client.post("/class/", typed(url, shares_code="on"))
    assert (answer.status_code, answer.url) == (302, "/#class")
    assert requests == [("/room/join/", {"code": "K7QM-3XTD", "name": "Ann"})]
    page = client.get("/").content.decode()
    shown = ("Monday", "Ann", "the code of your exercises", "Leave the class")
    assert all(text in page for text in shown)
    assert "secret" not in page
    assert client.post("/class/leave/").url == "/#class"
    assert membership.read() is None


@pytest.mark.parametrize(
    "status, said, field, text",
    [
        (400, {"error": "No class has this code.", "field": "code"}, "code", "No class has this"),
        (400, {"error": "Write your name."}, "", "Write your name."),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_typed_is_lost(client, status, said, field, text):
    with answering_room(status, said) as (url, _):
        answer = client.post("/class/", typed(url, name="Ann B.", shares_code="on"))
    page = unescape(answer.content.decode())
    assert (answer.status_code, membership.read()) == (400, None)
    shown = {name: value_of(page, name) for name in joining.FIELDS}
    assert shown == {"url": url, "code": "K7QM-3XTD", "name": "Ann B."}
    assert 'name="shares_code" checked' in page
    form = page.split('class="join-form"')[1].split("</form>")[0]
    assert text in form
    if field:
        tag = form.split(f'name="{field}"')[1].split(">")[0]
        assert 'aria-invalid="true" aria-describedby="join-error" autofocus' in tag
    assert (form.count("aria-invalid"), form.count(" autofocus")) == (bool(field), 1)


def test_a_form_of_an_old_page_changes_no_membership(client, known):
    membership.save(known)
    assert client.post("/class/", typed("http://other.example")).url == "/#class"
    assert membership.read() == known


def test_a_student_in_a_class_decides_again_whether_to_share_code(client, known):
    membership.save(known)
    for values, shares_code in (({"shares_code": ""}, True), ({}, False)):
        client.post("/class/", values)
        assert membership.read().shares_code is shares_code


# Attacks on the form


def test_get_changes_nothing(client):
    with answering_room(200, JOINED) as (url, requests):
        answer = client.get("/class/", typed(url))
        assert (answer.status_code, answer.url, requests) == (302, "/#class", [])


def test_markup_is_shown_as_text(client):
    with answering_room(400, {"error": MARKUP, "field": "name"}) as (url, _):
        refused = client.post("/class/", typed(url, name=MARKUP[:40], code=MARKUP))
    named = {**JOINED, "name": MARKUP, "class": MARKUP}
    with answering_room(200, named) as (url, _):
        client.post("/class/", typed(url))
    for page in (refused.content.decode(), client.get("/").content.decode()):
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
