"""Attacks on the room's pages and on joining."""

import json
import time
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lessons.extras import throttle as login_throttle
from lessons.workshop.member import codes
from lessons.workshop.room import throttle
from lessons.workshop.room.models import AccessToken, Class, Student
from lessons.workshop.room.store.joining import MAX_MACHINES, student_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("room_pages")]


@pytest.fixture(autouse=True)
def one_window(monkeypatch):
    """All guesses of a test are in the same minute, whatever the time is."""
    for module in (login_throttle, throttle):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: 1_000_020.0))


@pytest.fixture
def monday():
    return Class.objects.create(name="Monday", code="K7QM-3XTD")


def join(code="K7QM-3XTD", address="192.0.2.1", **wish):
    """The status and the answer of a request to join."""
    answer = Client().post(
        "/room/join/",
        json.dumps({"code": code, **wish}),
        content_type="application/json",
        REMOTE_ADDR=address,
    )
    return answer.status_code, answer.json()


# Joining


def test_a_new_student_gets_a_token_and_a_place(monday):
    status, answer = join(name=" Ann  B. ")
    assert status == 200
    assert set(answer) == {"token", "place", "name", "class"}
    assert (answer["name"], answer["class"]) == ("Ann B.", "Monday")
    assert student_of(answer["token"]).name == "Ann B."
    assert codes.normal_code(answer["place"]) == answer["place"]


@pytest.mark.parametrize("code", ["k7qm-3xtd", "K7QM3XTD", " k7qm 3xtd ", "K7QM-3XTD"])
def test_a_code_may_be_typed_without_care(monday, code):
    assert join(code, name="Ann")[0] == 200


def test_a_student_returns_with_the_place_code_and_stays_the_same(monday):
    _, first = join(name="Ann")
    status, again = join(name="ann", place=first["place"].lower())
    assert (status, again["name"], again["place"]) == (200, "Ann", first["place"])
    assert again["token"] != first["token"]
    assert student_of(again["token"]) == student_of(first["token"])
    assert Student.objects.count() == 1


def test_a_student_who_shares_code_from_now_on_has_a_new_version_of_the_row(monday):
    _, first = join(name="Ann")
    for shares_code, version in ((False, 0), (True, 1), (True, 1), (False, 2)):
        join(name="Ann", place=first["place"], shares_code=shares_code)
        student = Student.objects.get()
        assert (student.shares_code, student.version) == (shares_code, version)


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
        assert status == 409
        assert answer["field"] == "name"
        assert "ask your instructor" in answer["error"]
    assert Student.objects.count() == 1


def test_a_student_without_a_name_gets_a_pseudonym(monday):
    _, answer = join()
    animal, number = answer["name"].split()
    assert (animal.isalpha(), number) == (True, "1")


def test_a_pseudonym_differs_from_the_names_that_students_chose(monday, monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.store.joining.ANIMALS", ("Lynx", "Newt"))
    join(name="newt 2")
    assert join()[1]["name"] == "Lynx 2"


def test_a_class_of_pseudonyms_stores_no_name(monday):
    Class.objects.update(pseudonyms=True)
    status, answer = join(name="Ann")
    assert status == 200
    assert answer["name"] != "Ann"
    assert not Student.objects.filter(name="Ann").exists()


def test_a_student_of_a_pseudonym_returns_with_it(monday):
    Class.objects.update(pseudonyms=True)
    _, first = join(name="Ann")
    status, again = join(name=first["name"], place=first["place"])
    assert (status, again["name"]) == (200, first["name"])


def test_a_thousand_students_join_from_one_address(monday):
    started = time.monotonic()
    answers = [join() for _ in range(1_000)]
    assert {status for status, _ in answers} == {200}
    assert len({answer["token"] for _, answer in answers}) == 1_000
    numbers = Student.objects.order_by("pk").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 1_001))
    assert time.monotonic() - started < 120  # the machine may be busy; alone it takes about 5 s


def test_a_full_class_takes_no_further_student(monday, monkeypatch):
    monkeypatch.setattr("lessons.workshop.room.store.joining.MAX_STUDENTS", 1)
    join()
    status, answer = join()
    assert (status, answer["error"]) == (409, "This class is full: it has 1 students.")


INVISIBLE = ["\u200b", "A\u200bnn", "A\u202enn", "\ufeffAnn", "A\u2066nn", "A\x00nn"]


@pytest.mark.parametrize(
    "name",
    ["A" * 41, "A" * 200, "A" * 3_000, "...", "\u0301", "😀", "\ud800", 3, ["Ann"], *INVISIBLE],
    ids=ascii,
)
def test_refuses_a_name_that_is_too_long_or_cannot_be_seen(monday, name):
    status, answer = join(name=name)
    assert status == 400
    assert answer["error"]
    assert not Student.objects.exists()


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "李", "Åsa", "عمر", "O'Brien-S.", "<b>x"])
def test_accepts_a_name_in_any_script(monday, name):
    assert join(name=name)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nothing",
        b"\xff\xfe",
        b"{}",
        b'{"code": null}',
        b'{"code": 5}',
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
    answer = Client().post("/room/join/", b"{}", content_type="application/json")
    assert "no-store" in answer["Cache-Control"]


def test_joining_reads_and_sets_no_cookie(monday, client):
    """So it can do without a CSRF token: another site gains nothing from a user's browser."""
    User.objects.create_user("instructor", is_staff=True)
    client.force_login(User.objects.get())
    body = json.dumps({"code": monday.code, "name": "Ann"})
    answer = client.post("/room/join/", body, content_type="application/json")
    assert (answer.status_code, answer.cookies) == (200, {})


# Guesses


def test_an_address_has_thirty_wrong_class_codes_in_a_minute(monday, monkeypatch):
    for _ in range(throttle.PER_ADDRESS):
        assert join("AAAA-AAAA")[0] == 403
    answer = Client().post(
        "/room/join/",
        json.dumps({"code": monday.code, "name": "Ann"}),
        content_type="application/json",
        REMOTE_ADDR="192.0.2.1",
    )
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert not Student.objects.exists()  # not even with the right code
    assert join(address="192.0.2.2", name="Ann")[0] == 200
    monkeypatch.setattr(throttle.time, "time", lambda: 1_000_080.0)
    assert join(name="Ben")[0] == 200


def test_all_addresses_of_one_network_count_as_one(monday):
    for number in range(throttle.PER_ADDRESS):
        assert join("AAAA-AAAA", address=f"2001:db8::{number + 1}")[0] == 403
    assert join("AAAA-AAAA", address="2001:db8::ffff")[0] == 429
    assert join("AAAA-AAAA", address="2001:db8:0:1::1")[0] == 403


def test_guesses_from_many_addresses_have_a_limit_in_total(monday, monkeypatch):
    monkeypatch.setattr(throttle, "IN_TOTAL", 50)
    statuses = [join("AAAA-AAAA", address=f"198.51.100.{number}")[0] for number in range(51)]
    assert statuses == [403] * 50 + [429]


def test_guesses_that_are_refused_for_an_address_do_not_count_in_total(monday, monkeypatch):
    monkeypatch.setattr(throttle, "IN_TOTAL", throttle.PER_ADDRESS + 1)
    for _ in range(throttle.PER_ADDRESS + 5):
        join("AAAA-AAAA")
    assert join(address="192.0.2.2", name="Ann")[0] == 200


def test_an_address_that_is_refused_cannot_push_the_counters_of_others_out_of_the_cache(monday):
    for _ in range(throttle.PER_NAME):
        join(name="Ann", place="AAAA-AAAA", address="192.0.2.2")
    for number in range(400):  # the cache in memory holds 300 entries
        join("AAAA-AAAA", name=f"name {number}", place="AAAA-AAAA")
    assert join(name="Ann", place="AAAA-AAAA", address="192.0.2.2")[0] == 429


def test_right_codes_do_not_count_as_guesses(monday, monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 2)
    assert [join()[0] for _ in range(10)] == [200] * 10
    join(name="Ann")
    assert [join(name="Ann")[0] for _ in range(10)] == [409] * 10


def test_a_place_code_can_be_guessed_ten_times_in_a_minute(monday):
    _, first = join(name="Ann")
    for _ in range(throttle.PER_NAME):
        assert join(name="Ann", place="AAAA-AAAA")[0] == 403
    assert join(name="ann", place=first["place"])[0] == 429
    assert join(name="Ben")[0] == 200  # the others of this address still join


def test_without_its_cache_the_room_checks_no_code_and_says_when_to_return(monday, monkeypatch):
    def fail(*args):
        raise ConnectionError("Redis is unreachable")

    monkeypatch.setattr(throttle.cache, "add", fail)
    answer = Client().post(
        "/room/join/",
        json.dumps({"code": monday.code, "name": "Ann"}),
        content_type="application/json",
    )
    assert (answer.status_code, answer["Retry-After"]) == (503, "20")
    assert answer.json() == {"error": "The room cannot check codes now. Try again in 20 s."}
    assert not Student.objects.exists()


def test_a_wrong_place_code_and_an_unknown_name_have_the_same_answer(monday):
    join(name="Ann")
    wrong, unknown = join(name="Ann", place="AAAA-AAAA"), join(name="Ben", place="AAAA-AAAA")
    assert wrong == unknown
    assert wrong[0] == 403


def test_a_place_code_of_another_class_is_worth_nothing(monday):
    Class.objects.create(name="Friday", code="AAAA-AAAA")
    _, answer = join("AAAA-AAAA", name="Ann")
    assert join(name="Ann", place=answer["place"])[0] == 403


# Pages


@pytest.fixture
def instructor(client):
    client.force_login(User.objects.create_user("instructor", is_staff=True))
    return client


PAGES = ["/room/", "/room/board/1/"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_instructor_sends_others_to_the_login(monday, client, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/room/log-in/?next={path}")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_instructor_is_forbidden_to_a_user_who_is_not_staff(monday, client, path):
    client.force_login(User.objects.create_user("eve"))
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_instructor_is_forbidden_to_a_students_token(monday, client, path):
    token = join(name="Ann")[1]["token"]
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 302


def test_the_page_of_a_class_that_does_not_exist_is_not_found(instructor):
    answer = instructor.get("/room/board/5/")
    assert answer.status_code == 404
    assert b"The room has no such page." in answer.content


def test_another_site_cannot_log_a_user_in_or_out(monday):
    client = Client(enforce_csrf_checks=True)
    for path in ("/room/log-in/", "/room/log-out/"):
        assert client.post(path, {"username": "a", "password": "b"}).status_code == 403


@pytest.mark.parametrize("path", [*PAGES, "/room/log-in/", "/room/join/"])
def test_refuses_a_rebound_host_name(monday, instructor, path):
    assert instructor.get(path, headers={"Host": "evil.test"}).status_code == 400


def test_names_with_markup_are_escaped(instructor):
    name = "<script>alert(1)</script>"
    school_class = Class.objects.create(name=name, code="AAAA-AAAA")
    for path in ("/room/", f"/room/board/{school_class.pk}/"):
        page = instructor.get(path).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_login_of_instructors_is_limited(monday, client):
    data = {"username": "instructor", "password": "wrong"}
    pages = [client.post("/room/log-in/", data).content.decode() for _ in range(11)]
    assert "Too many attempts to log in." not in pages[9]
    assert "Too many attempts to log in." in pages[10]


@pytest.mark.parametrize("path", ["/lessons/03-stop/", "/admin/", "/auth/login/", "/chat/lobby/"])
def test_the_room_serves_nothing_of_the_workshop(client, path):
    assert client.get(path).status_code == 404
