"""Attacks on joining a class, on codes, and on the login of instructors."""

import json
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lessons.extras import login_throttle
from lessons.workshop.member import class_codes
from lessons.workshop.room import guess_limit
from lessons.workshop.room.models import AccessToken, Class, Student
from lessons.workshop.room.store.joining import MAX_MACHINES, student_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("room_pages")]


@pytest.fixture(autouse=True)
def one_window(monkeypatch):
    """All guesses of a test are in the same minute, whatever the time is."""
    for module in (login_throttle, guess_limit):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: 1_000_020.0))


@pytest.fixture
def monday():
    return Class.objects.create(name="Monday", code="K7QM-3XTD")


def ask(code="K7QM-3XTD", address="192.0.2.1", **wish):
    """The response to a request to join."""
    body = {"code": code, **wish}
    return Client().post("/room/join/", body, content_type="application/json", REMOTE_ADDR=address)


def join(*arguments, **wish):
    """The status and the answer of a request to join."""
    response = ask(*arguments, **wish)
    return response.status_code, response.json()


# Joining


def test_a_new_student_gets_a_token_and_a_place(monday):
    status, answer = join(name=" Ann  B. ")
    assert status == 200
    assert set(answer) == {"token", "place", "name", "class"}
    assert (answer["name"], answer["class"]) == ("Ann B.", "Monday")
    assert student_of(answer["token"]).name == "Ann B."
    assert class_codes.normal_code(answer["place"]) == answer["place"]


def test_accepts_a_code_typed_without_care_and_a_name_in_any_script(monday):
    for code, name in zip(
        ("k7qm-3xtd", "K7QM3XTD", " k7qm 3xtd ", "K7QM-3XTD", "K7QM-3XTD"),
        ("José", "李", "عمر", "O'Brien-S.", "<b>x"),
        strict=True,
    ):
        assert ask(code, name=name).status_code == 200


def test_a_student_returns_with_the_place_code_and_stays_the_same(monday):
    _, first = join(name="Ann")
    status, again = join(name="ann", place=first["place"].lower())
    assert (status, again["name"], again["place"]) == (200, "Ann", first["place"])
    assert again["token"] != first["token"]
    assert student_of(again["token"]) == student_of(first["token"])
    assert Student.objects.count() == 1


def test_the_oldest_of_too_many_machines_loses_its_token(monday):
    _, first = join(name="Ann")
    for _ in range(MAX_MACHINES):
        _, last = join(name="Ann", place=first["place"])
    assert student_of(first["token"]) is None
    assert student_of(last["token"]).name == "Ann"
    assert AccessToken.objects.count() == MAX_MACHINES


def test_two_students_share_no_name(monday):
    join(name="Ann")
    for name in ("Ann", "ann", "\uff21\uff4e\uff4e"):
        status, answer = join(name=name)
        assert (status, answer["field"]) == (409, "name")
    assert Student.objects.count() == 1


def test_a_class_of_pseudonyms_stores_no_name(monday):
    Class.objects.update(pseudonyms=True)
    assert join(name="Ann")[1]["name"] != "Ann"
    assert not Student.objects.filter(name="Ann").exists()


def test_a_full_class_takes_no_further_student(monday, monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.store.joining.MAX_STUDENTS", 1)
    join()
    status, answer = join()
    assert (status, answer["error"]) == (409, "This class is full: it has 1 students.")


INVISIBLE = ["\u200b", "A\u200bnn", "A\u202enn", "\ufeffAnn", "A\u2066nn", "A\x00nn"]
BAD_NAMES = ["A" * 41, "A" * 3_000, "...", "\u0301", "😀", "\ud800", 3, ["Ann"], *INVISIBLE]


@pytest.mark.parametrize(
    "body",
    [
        *(json.dumps({"code": "K7QM-3XTD", "name": name}) for name in BAD_NAMES),
        *(b"", b"[]", b"\xff\xfe", b"{}", b'{"code": null}', b'{"a": ' * 2_000),
        b'{"code": "' + b"A" * 41 + b'"}',
        b'{"code": "K7QM-3XTD", "shares_code": "yes"}',
        b'{"code": "K7QM-3XTD", "place": 4}',
        b'{"code": "K7QM-3XTD", "x": "' + b"x" * 5_000 + b'"}',
    ],
)
def test_refuses_a_malformed_request_and_a_name_that_is_too_long_or_cannot_be_seen(monday, body):
    answer = Client().post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert not Student.objects.exists()


def test_joining_needs_post_sets_no_cookie_and_is_never_cached(monday, client):
    """So it can do without a CSRF token: another site gains nothing from a user's browser."""
    assert client.get("/room/join/").status_code == 405
    client.force_login(User.objects.create_user("instructor", is_staff=True))
    body = {"code": monday.code, "name": "Ann"}
    answer = client.post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, answer.cookies) == (200, {})
    assert "no-store" in answer["Cache-Control"]


# Guesses

OTHER_ADDRESS = {"address": "192.0.2.2"}
WRONG, RIGHT = {"code": "AAAA-AAAA"}, {"name": "Ann"}
WRONG_PLACE = {**RIGHT, "place": "AAAA-AAAA"}
SAME_NETWORK = [{**WRONG, "address": f"2001:db8::{n + 1}"} for n in range(guess_limit.PER_ADDRESS)]
GUESSES = {  # the guesses, a request after them, and its status
    "an address": ([WRONG] * guess_limit.PER_ADDRESS, RIGHT, 429),
    "another address": ([WRONG] * guess_limit.PER_ADDRESS, {**RIGHT, **OTHER_ADDRESS}, 200),
    "one network": (SAME_NETWORK, {**WRONG, "address": "2001:db8::ffff"}, 429),
    "another network": (SAME_NETWORK, {**WRONG, "address": "2001:db8:0:1::1"}, 403),
    "right codes": ([RIGHT] * (guess_limit.PER_ADDRESS + 1), {"name": "Ben"}, 200),
    "a name": ([WRONG_PLACE] * guess_limit.PER_NAME, {**WRONG_PLACE, "name": "ann"}, 429),
    "another name": ([WRONG_PLACE] * guess_limit.PER_NAME, {"name": "Ben"}, 200),
}


@pytest.mark.parametrize("guesses, then, status", GUESSES.values(), ids=GUESSES)
def test_limits_the_guesses_of_a_network_and_of_a_name_in_a_minute(
    monday, monkeypatch, guesses, then, status
):
    for wish in guesses:
        assert ask(**wish).status_code in (200, 403, 409)
    answer = ask(**then)
    assert answer.status_code == status
    assert answer.get("Retry-After") == ("60" if status == 429 else None)
    monkeypatch.setattr(guess_limit.time, "time", lambda: 1_000_080.0)
    assert ask(name="Cleo").status_code == 200


def test_guesses_from_many_addresses_have_a_limit_in_total(monday, monkeypatch):
    monkeypatch.setattr(guess_limit, "IN_TOTAL", guess_limit.PER_ADDRESS + 1)
    for _ in range(guess_limit.PER_ADDRESS + 5):  # a refused one does not count in total
        ask(**WRONG)
    assert [ask(**WRONG, **OTHER_ADDRESS).status_code for _ in range(2)] == [403, 429]


def test_an_address_that_is_refused_cannot_push_the_counters_of_others_out_of_the_cache(monday):
    for _ in range(guess_limit.PER_NAME):
        ask(**WRONG_PLACE, **OTHER_ADDRESS)
    for number in range(400):  # the cache in memory holds 300 entries
        ask("AAAA-AAAA", name=f"name {number}", place="AAAA-AAAA")
    assert ask(**WRONG_PLACE, **OTHER_ADDRESS).status_code == 429


def test_without_its_cache_the_room_checks_no_code_and_says_when_to_return(monday, monkeypatch):
    def fail(*args):
        raise ConnectionError("Redis is unreachable")

    monkeypatch.setattr(guess_limit.cache, "add", fail)
    answer = ask(name="Ann")
    assert (answer.status_code, answer["Retry-After"]) == (503, "20")
    assert not Student.objects.exists()


def test_a_wrong_place_code_and_an_unknown_name_have_the_same_answer(monday):
    Class.objects.create(name="Friday", code="AAAA-AAAA")
    _, friday = join("AAAA-AAAA", name="Ann")
    join(name="Ann")
    wrong, unknown = join(name="Ann", place="AAAA-AAAA"), join(name="Ben", place="AAAA-AAAA")
    other_class = join(name="Ann", place=friday["place"])
    assert wrong == unknown == other_class
    assert wrong[0] == 403


# Pages


@pytest.mark.parametrize("path", ["/room/", "/room/board/1/", "/room/log-in/", "/room/join/"])
def test_refuses_a_rebound_host_name(client, path):
    assert client.get(path, headers={"Host": "evil.test"}).status_code == 400


def test_the_login_of_instructors_is_limited(client):
    data = {"username": "instructor", "password": "wrong"}
    pages = [client.post("/room/log-in/", data).content.decode() for _ in range(11)]
    assert ["Too many attempts to log in." in page for page in pages[9:]] == [False, True]


@pytest.mark.parametrize("path", ["/lessons/03-stop/", "/admin/", "/auth/login/", "/chat/lobby/"])
def test_the_room_serves_nothing_of_the_workshop(client, path):
    assert client.get(path).status_code == 404
