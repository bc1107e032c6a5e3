"""The page's editor: reading and saving the student's file, and never losing a version."""

import pytest

from lessons.workshop.page.exercise import exercise_file
from lessons.workshop.student import exercise_copies

OLD, MINE, OTHERS = "a = 1\n", "a = 2\n", "a = 3\n"


@pytest.fixture
def lamp(course):
    lesson = course[0]
    lesson.exercise.parent.mkdir(exist_ok=True)
    lesson.exercise.write_bytes(OLD.encode())
    return lesson


def url(lesson):
    return f"/lessons/{lesson.key}/file/"


def read(client, lesson):
    return client.get(url(lesson)).json()


def save(client, lesson, text, digest, **more):
    return client.post(url(lesson), {"text": text, "digest": digest, **more})


def test_reads_the_file_and_saves_a_text_that_replaces_the_version_that_was_read(client, lamp):
    digest = exercise_copies.digest(OLD.encode())
    assert read(client, lamp) == {"text": OLD, "digest": digest, "path": "work/01_lamp.py"}
    response = save(client, lamp, MINE, digest)
    assert response.status_code == 200
    assert lamp.exercise.read_bytes() == MINE.encode()
    assert response.json() == {"digest": read(client, lamp)["digest"]}


def test_replaces_what_another_editor_has_saved_only_on_request_and_with_a_backup(client, lamp):
    digest = read(client, lamp)["digest"]
    lamp.exercise.write_text(OTHERS)
    response = save(client, lamp, MINE, digest)
    answer = response.json()
    assert (response.status_code, answer["text"]) == (409, OTHERS)
    assert answer["digest"] == read(client, lamp)["digest"]
    assert lamp.exercise.read_text() == OTHERS
    assert save(client, lamp, MINE, digest, overwrite="yes").status_code == 200
    assert lamp.exercise.read_text() == MINE
    assert exercise_copies.latest_backup(lamp).read_text() == OTHERS


def test_a_missing_file_reads_as_the_original_and_is_written_again(client, lamp):
    lamp.exercise.unlink()
    answer = read(client, lamp)
    assert (answer["text"], answer["digest"]) == (lamp.original.read_text(), "")
    assert save(client, lamp, MINE, "").status_code == 200
    assert lamp.exercise.read_text() == MINE


def test_reads_line_ends_and_a_byte_order_mark_of_windows_and_saves_none(client, lamp):
    lamp.exercise.write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    answer = read(client, lamp)
    assert answer["text"] == "a = 1\n"
    assert save(client, lamp, "a = 2\n", answer["digest"]).status_code == 200
    assert lamp.exercise.read_bytes() == b"a = 2\n"


def test_a_file_that_is_not_utf_8_is_not_opened_and_not_overwritten(client, lamp):
    lamp.exercise.write_bytes(b"a = '\xff'\n")
    response = client.get(url(lamp))
    assert response.status_code == 400
    assert response.json() == {
        "error": "01_lamp.py is not text in UTF-8, so this page cannot edit it. "
        "Save it as UTF-8 in your own editor."
    }
    assert save(client, lamp, MINE, "").status_code == 400
    assert lamp.exercise.read_bytes() == b"a = '\xff'\n"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": MINE}, "lacks the text or its version"),
        ({"text": "x" * (exercise_file.MAX_BYTES + 1), "digest": ""}, "longer than 200,000 bytes"),
    ],
)
def test_says_why_a_text_was_not_saved(client, lamp, fields, reason):
    response = client.post(url(lamp), fields)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert lamp.exercise.read_text() == OLD
