"""Search, and the pages that its results link to."""

import re
import time
import tomllib
from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import escape

from lessons.workshop.course import diagnoses, lesson_index
from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.page import search as module
from lessons.workshop.page.search import LINE_END, MAX_QUERY, read_query, search

QUERIES = tomllib.loads(Path(__file__).with_name("search_queries.toml").read_text("utf-8"))["query"]
MAX_WRONG = 3  # of the queries, six in a hundred
MAX_CPU_TIME = 0.05  # seconds


def urls(query):
    return [result.url for result in search(query)[0]]


def is_right(url, answers):
    """An answer without an anchor is a page with all its sections."""
    return any(url == one or url.startswith(f"{one}#") for one in answers)


def page(path, **query):
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


# Real questions


def test_each_real_question_has_its_answer_among_the_first_five_and_nearly_all_have_it_first():
    assert len(QUERIES) >= 50
    found = {one["text"]: urls(one["text"])[:5] for one in QUERIES}

    def wrong(count):
        return [
            one["text"]
            for one in QUERIES
            if not any(is_right(url, one["first"]) for url in found[one["text"]][:count])
        ]

    assert wrong(5) == []
    assert len(wrong(1)) <= MAX_WRONG, wrong(1)


# What is read


@pytest.mark.parametrize("line_end", ["\n", "\r\n", f" {LINE_END} ", "    "])
def test_the_last_exception_of_a_traceback_is_read(line_end):
    lines = (
        "Exception inside application: first",
        "Traceback (most recent call last):",
        '  File "/srv/app/consumers.py", line 7, in connect',
        "    raise KeyError(name)",
        "KeyError: 'first'",
        "During handling of the above exception, another exception occurred:",
        "app.errors.RoomClosed: the last one",
    )
    assert read_query(line_end.join(lines)).words == ["the", "last", "one"]


# What is shown


def test_markup_in_a_text_is_shown_as_text(course, monkeypatch):
    monkeypatch.setattr(module, "_index", module._index.__wrapped__)  # the cached one has no zebras
    notes = lesson_index.PROJECT_DIR / "NOTES.md"
    notes.write_text("# Notes\n`<b>` zebras <script>alert(1)</script> & more\n")
    shown = "&lt;b&gt; <mark>zebras</mark> &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"
    assert search("zebras")[0][0].text == shown


def test_a_search_without_results_links_to_the_texts():
    for query in ("(((", "a" * MAX_QUERY, "terraform"):
        shown = page("/search/", q=query)
        assert "<p>Nothing found.</p>" in shown
        assert re.findall(r'Look through the <a href="(.*?)"', shown) == ["/diagnoses/", "/notes/"]


HOSTILE = {
    "operators of FTS5": '" OR NEAR(a b) * ^ : - { } title:x id:"' * 250,
    "names": "a." * 5000,
    "exceptions": "a.b.C: d\n" * 1100,
    "brackets": "<a b" * 1500 + ">" * 1500,
    "an open bracket": "<" + "a a\n" * (MAX_QUERY // 4 - 1),
    "null characters": "\0" * 5000 + "zombie",
}


@pytest.mark.parametrize("query", [*HOSTILE.values(), QUERIES[0]["text"]], ids=[*HOSTILE, "a log"])
def test_a_hostile_query_is_answered_in_time(query):
    search("zombie")  # the first search builds the index
    durations = []
    for _ in range(3):
        start = time.process_time()
        search(query)
        durations.append(time.process_time() - start)
    assert min(durations) < MAX_CPU_TIME


# The diagnoses


def test_shows_every_diagnosis_in_full_with_an_anchor():
    shown = page("/diagnoses/")
    for one in diagnoses.catalogue().values():
        assert shown.count(f'id="{one.id}"') == 1
        assert all(
            escape(words) in shown for words in (one.title, one.symptom, one.cause, one.cure)
        )
    assert all(f'<h2 id="of-{one.key}">' in shown for one in lessons())
