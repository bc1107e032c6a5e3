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


@pytest.mark.parametrize(
    "wish",
    [
        *({"code": code} for code in ("k7qm-3xtd", "K7QM3XTD", " k7qm 3xtd ")),
        *({"name": name} for name in ("José", "Jose\u0301", "李", "عمر", "O'Brien-S.", "<b>x")),
    ],
    ids=ascii,
)
def test_accepts_a_code_typed_without_care_and_a_name_in_any_script(monday, wish):
    assert ask(**{"name": "Ann", **wish}).status_code == 200


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


@pytest.mark.parametrize("name", ["Ann", "ann", "\uff21\uff4e\uff4e"])
def test_two_students_share_no_name(monday, name):
    join(name="Ann")
    status, answer = join(name=name)
    assert (status, answer["field"]) == (409, "name")
    assert Student.objects.count() == 1


def test_a_class_of_pseudonyms_stores_no_name(monday):
    Class.objects.update(pseudonyms=True)
    status, answer = join(name="Ann")
    assert status == 200
    assert answer["name"] != "Ann"
    assert not Student.objects.filter(name="Ann").exists()


def test_a_full_class_takes_no_further_student(monday, monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.store.joining.MAX_STUDENTS", 1)
    join()
    status, answer = join()
    assert (status, answer["error"]) == (409, "This class is full: it has 1 students.")


INVISIBLE = ["\u200b", "A\u200bnn", "A\u202enn", "\ufeffAnn", "A\u2066nn", "A\x00nn"]


@pytest.mark.parametrize(
    "name",
    ["A" * 41, "A" * 3_000, "...", "\u0301", "😀", "\ud800", 3, ["Ann"], *INVISIBLE],
    ids=ascii,
)
def test_refuses_a_name_that_is_too_long_or_cannot_be_seen(monday, name):
    body = json.dumps({"code": "K7QM-3XTD", "name": name})
    answer = Client().post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
    assert not Student.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"code": null}',
        b'{"code": "' + b"A" * 41 + b'"}',
        b'{"code": "K7QM-3XTD", "shares_code": "yes"}',
        b'{"code": "K7QM-3XTD", "place": 4}',
        b'{"code": "K7QM-3XTD", "x": "' + b"x" * 5_000 + b'"}',
        b'{"a": ' * 2_000,
    ],
)
def test_refuses_a_request_to_join_that_is_malformed(monday, body):
    answer = Client().post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (400, {"error"})
    assert not Student.objects.exists()


def test_joining_needs_post_and_is_never_cached(monday):
    assert Client().get("/room/join/").status_code == 405
    assert "no-store" in ask()["Cache-Control"]


def test_joining_reads_and_sets_no_cookie(monday, client):
    """So it can do without a CSRF token: another site gains nothing from a user's browser."""
    client.force_login(User.objects.create_user("instructor", is_staff=True))
    body = {"code": monday.code, "name": "Ann"}
    answer = client.post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, answer.cookies) == (200, {})


# Guesses


def guess(count, **wish):
    """Send so many wrong class codes. Returns the status of each."""
    return [ask("AAAA-AAAA", **wish).status_code for _ in range(count)]


def test_an_address_has_thirty_wrong_class_codes_in_a_minute(monday, monkeypatch):
    assert guess(guess_limit.PER_ADDRESS) == [403] * guess_limit.PER_ADDRESS
    refused = ask(name="Ann")  # not even with the right code
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert not Student.objects.exists()
    assert ask(address="192.0.2.2", name="Ann").status_code == 200
    monkeypatch.setattr(guess_limit.time, "time", lambda: 1_000_080.0)
    assert ask(name="Ben").status_code == 200


def test_all_addresses_of_one_network_count_as_one(monday):
    for number in range(guess_limit.PER_ADDRESS):
        assert guess(1, address=f"2001:db8::{number + 1}") == [403]
    assert guess(1, address="2001:db8::ffff") == [429]
    assert guess(1, address="2001:db8:0:1::1") == [403]


def test_guesses_from_many_addresses_have_a_limit_in_total(monday, monkeypatch):
    monkeypatch.setattr(guess_limit, "IN_TOTAL", guess_limit.PER_ADDRESS + 1)
    guess(guess_limit.PER_ADDRESS + 5)  # what is refused for an address does not count in total
    assert guess(2, address="192.0.2.2") == [403, 429]


def test_right_codes_do_not_count_as_guesses(monday, monkeypatch):
    monkeypatch.setattr(guess_limit, "PER_ADDRESS", 2)
    assert [ask(name="Ann").status_code for _ in range(5)] == [200, 409, 409, 409, 409]


def test_a_place_code_can_be_guessed_ten_times_in_a_minute(monday):
    _, first = join(name="Ann")
    for _ in range(guess_limit.PER_NAME):
        assert join(name="Ann", place="AAAA-AAAA")[0] == 403
    assert join(name="ann", place=first["place"])[0] == 429
    assert join(name="Ben")[0] == 200  # the others of this address still join


def test_an_address_that_is_refused_cannot_push_the_counters_of_others_out_of_the_cache(monday):
    for _ in range(guess_limit.PER_NAME):
        join(name="Ann", place="AAAA-AAAA", address="192.0.2.2")
    for number in range(400):  # the cache in memory holds 300 entries
        ask("AAAA-AAAA", name=f"name {number}", place="AAAA-AAAA")
    assert join(name="Ann", place="AAAA-AAAA", address="192.0.2.2")[0] == 429


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
    assert "Too many attempts to log in." not in pages[9]
    assert "Too many attempts to log in." in pages[10]


@pytest.mark.parametrize("path", ["/lessons/03-stop/", "/admin/", "/auth/login/", "/chat/lobby/"])
def test_the_room_serves_nothing_of_the_workshop(client, path):
    assert client.get(path).status_code == 404
