"""Search, and the pages that its results link to."""

import os
import re
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape

from lessons.workshop.course import diagnoses, lesson_index
from lessons.workshop.course.lesson_index import find, lessons
from lessons.workshop.judge.verdict import Outcome, Verdict
from lessons.workshop.page.markup import markdown_to_html
from lessons.workshop.page.search import search_index
from lessons.workshop.page.search.query import LINE_END, MAX_QUERY, read_query
from lessons.workshop.page.search.search import MAX_RESULTS, search
from lessons.workshop.student import progress

QUERIES = tomllib.loads(Path(__file__).with_name("search_queries.toml").read_text("utf-8"))["query"]
MAX_WRONG = 3  # of the queries, six in a hundred
MAX_CPU_TIME = 0.05  # seconds


@pytest.fixture
def notes(course, monkeypatch):
    """NOTES.md of a small course, whose files are read before each search."""
    monkeypatch.setattr(search_index, "this_second", count(-9).__next__)
    return lesson_index.PROJECT_DIR / "NOTES.md"


def urls(query):
    return [result.url for result in search(query).results]


def is_right(url, answers):
    """An answer without an anchor is a page with all its sections."""
    return any(url == one or url.startswith(f"{one}#") for one in answers)


def page(path, **query):
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


# Real questions


def test_nearly_all_real_questions_have_their_answer_first():
    assert len(QUERIES) >= 50
    wrong = [one["text"] for one in QUERIES if not is_right(urls(one["text"])[0], one["first"])]
    assert len(wrong) <= MAX_WRONG, wrong


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query["text"].strip()[-60:])
def test_a_real_question_has_its_answer_among_the_first_five(query):
    found = urls(query["text"])[:5]
    assert any(is_right(url, query["first"]) for url in found), found


def test_every_answer_to_a_real_question_exists(db):
    answers = {answer for one in QUERIES for answer in one["first"]}
    pages = {path: page(path) for path in {answer.partition("#")[0] for answer in answers}}
    for answer in answers:
        path, _, anchor = answer.partition("#")
        assert not anchor or f'id="{anchor}"' in pages[path]


# What is read


def words(text):
    return [" ".join(part) for part in read_query(text).parts]


def test_what_differs_from_run_to_run_is_not_read():
    assert words(
        "2026-01-02 03:04:05,678 ERROR [daphne.server] instance <Task pending name='Task-1' "
        "coro=<App.__call__() running at /srv/app/x.py:71> wait_for=<Future cb=[f.<locals>.g()]>> "
        "of specific.9f0a!bXyz at 0x7f30f769a740, ws://localhost:8000/ws/ [127.0.0.1:50906] ended"
    ) == ["instance", "of", "at", "ended"]


def test_a_connection_in_a_log_line_is_read_as_its_kind():
    assert words("<WebSocketProtocol client=['10.0.0.1', 4] path=b'/ws/'> x") == ["websocket", "x"]
    assert words("<WebRequest at 0x7f method=GET uri=/ clientproto=HTTP/1.1>") == ["http request"]


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
    assert words(line_end.join(lines)) == ["the last one"]


def test_a_query_of_paths_alone_is_read_whole():
    assert words("/ws/chat/") == ["ws chat"]


# What is found


def test_finds_all_words_in_any_case_and_order():
    found = urls("ZOMBIE stopconsumer")
    assert found[0] == "/lessons/03-stop/#why"
    assert "/diagnoses/#zombie" in found
    assert set(found) <= set(urls("stopconsumer zombie"))


def test_a_word_that_no_text_contains_is_named():
    found = search("zombie elephant")
    assert "/diagnoses/#zombie" in [result.url for result in found.results]
    assert found.terms.missing == ["elephant"]


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("hanshake", "handshake"), ("disconect", "disconnect"), ("recieve", "receive")],
)
def test_a_misspelt_word_is_corrected(typo, meant):
    assert search(typo).terms.corrected == {typo: meant}
    assert meant in search(typo).results[0].excerpt.lower() + search(typo).results[0].title.lower()


def test_a_word_of_newcomers_finds_the_words_of_the_course():
    assert urls("bearer")[0].startswith("/lessons/18-ticket/")


def test_finds_the_other_forms_of_a_word():
    for form in ("handshake", "handshakes"):
        assert "/lessons/01-accept/" in urls(form)


def test_a_lesson_has_at_most_two_results():
    found = [url for url in urls("redis") if url.startswith("/lessons/14-redis/")]
    assert len(found) == 2


def test_accents_do_not_matter():
    assert urls("zömbié socket") == urls("zombie socket") != []


def test_finds_a_word_by_its_beginning_and_by_the_parts_of_a_name(notes):
    notes.write_text("# Notes\nA transcript, then websocket_send and send_json.\n")
    (excerpt,) = [result.excerpt for result in search("transcr").results if result.url == "/notes/"]
    assert excerpt == "A <mark>transcript</mark>, then websocket_send and send_json."
    (excerpt,) = [result.excerpt for result in search("json").results if result.url == "/notes/"]
    assert excerpt == "A transcript, then websocket_send and send_<mark>json</mark>."
    assert "/notes/" not in urls("script")


def test_finds_a_code_word_whole(notes):
    notes.write_text("# Notes\n## A\ngroup_send, websocket.accept\n## B\nsend to a group\n")

    def anchors(query):
        return [url.removeprefix("/notes/").strip("/") for url in urls(query) if "/notes/" in url]

    assert anchors("group_send") == anchors("group_se") == anchors("websocket.accept") == ["a"]


def test_matches_in_a_title_come_first():
    assert urls("rooms")[0].startswith("/lessons/12-group/")


def test_finds_a_lesson_by_the_code_that_it_shows():
    assert "/lessons/03-stop/#why" in urls("logger.info")


def test_finds_a_diagnosis_by_its_id():
    assert urls("no-accept")[0] == "/diagnoses/#no-accept"


@pytest.mark.parametrize(
    ("pasted", "diagnosis"),
    [
        ("No handler for message type websocket.disconnect", "no-disconnect-handler"),
        ("ValueError: No handler for message type lamp.on", "no-handler"),
        ("Exception inside application: 'text'", "text-on-binary"),
        ("2026-01-01 ERROR  Exception inside application: 'bytes'\nTraceback:", "bytes-on-text"),
        ("channels.exceptions.ChannelFull", "channel-full"),
        (
            "django.core.exceptions.SynchronousOnlyOperation: You cannot call this from an "
            "async context - use a thread or sync_to_async.",
            "orm-in-async",
        ),
    ],
)
def test_an_exception_finds_its_diagnosis_first(pasted, diagnosis):
    assert urls(pasted)[0] == f"/diagnoses/#{diagnosis}"


def test_a_pattern_for_any_message_of_a_type_needs_the_type():
    assert urls("JSONDecodeError: no such thing")[0] == "/diagnoses/#bad-json"
    assert "/diagnoses/#bad-json" not in urls("elephants: no such thing")


def test_finds_a_change_a_second_later_and_reads_no_file_before(notes, monkeypatch):
    monkeypatch.setattr(search_index, "this_second", lambda: -1)
    assert urls("zebras") == []
    notes.write_text("# Zebras\n")
    assert urls("zebras") == []
    monkeypatch.setattr(search_index, "this_second", lambda: 0)
    assert urls("zebras") == ["/notes/"]


def test_finds_the_present_text_of_a_changed_file(notes):
    notes.write_text("# Notes\n\n## Of `zebras`\nStripes.\n\n## Of gnus\n\n### Horns\nTwo.\n")
    assert urls("zebras") == urls("stripes") == ["/notes/of-zebras/"]
    (gnus,) = search("horns").results
    assert gnus.place == "Of gnus"
    notes.write_text("# Notes\n\nZebras were here.\n")
    os.utime(notes, ns=(1, 1))
    assert urls("zebras") == ["/notes/"]
    notes.unlink()
    assert urls("zebras") == []
    assert Client().get("/notes/").status_code == 404


def test_every_result_links_to_an_existing_anchor(db):
    found = [url.partition("#") for url in urls("connection 1006")]
    pages = {path: page(path) for path, *_ in found}
    assert {"/diagnoses/", "/lessons/03-stop/"} <= set(pages)
    for path, _, anchor in found:
        assert not anchor or f'id="{anchor}"' in pages[path]


# What is shown


def test_an_excerpt_surrounds_a_match_and_marks_every_word(notes):
    notes.write_text(f"# Notes\n{'one ' * 50}Ångström and two, angstrom {'three ' * 50}\n")
    excerpt = search("angstrom two").results[0].excerpt
    marked = "<mark>Ångström</mark> and <mark>two</mark>, <mark>angstrom</mark>"
    assert re.fullmatch(rf"… (one )+{marked}( three)+ …", excerpt)


def test_markup_and_mark_characters_in_a_text_are_shown_as_text(notes):
    mark = search_index.MARK_START
    notes.write_text(f"# Notes\n`<b>` zebras {mark}<script>alert(1)</script> & more\n")
    shown = "&lt;b&gt; <mark>zebras</mark> &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"
    assert search("zebras").results[0].excerpt == shown


def test_says_what_to_do_where_sqlite_has_no_full_text_search(notes, monkeypatch):
    monkeypatch.setattr(search_index, "_CREATE", "CREATE VIRTUAL TABLE entries USING fts99(title)")
    shown = page("/search/", q="zombie")
    assert "Search needs SQLite with FTS5" in shown
    assert "Install Python from" in shown


def test_the_page_names_the_kind_of_each_result_and_marks_words():
    shown = page("/search/", q="zombie stopconsumer")
    kinds = re.findall(r'<span class="kind \w+">(\w+)<', shown)
    assert set(kinds) == {"Diagnosis", "Lesson", "Notes"}
    assert "<mark>StopConsumer</mark>" in shown
    assert f"<p>{len(kinds)} results</p>" in shown
    assert 'value="zombie stopconsumer"' in shown


def test_the_page_says_what_was_corrected_and_what_is_missing():
    shown = page("/search/", q="hanshake elephant")
    assert "No text contains “hanshake”. These results are for “handshake”." in shown
    assert "No text contains “elephant”." in shown


def test_shows_the_best_of_many_results_and_counts_all():
    found = search("the")
    assert len(found.results) == MAX_RESULTS < found.count
    assert f"The best {MAX_RESULTS} of {found.count} results" in page("/search/", q="the")


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_search_says_what_can_be_pasted(query):
    shown = page("/search/", q=query)
    assert "Or paste an error: a line of a log, or a whole traceback." in shown
    assert "Nothing found" not in shown


@pytest.mark.parametrize(
    "query",
    [
        ".*",
        "(((",
        '"',
        "\0\ud800".encode("utf-8", "replace").decode(),
        "a" * MAX_QUERY,
        "terraform",
    ],
)
def test_a_search_without_results_links_to_the_texts(query):
    shown = page("/search/", q=query)
    assert "<p>Nothing found.</p>" in shown
    assert re.findall(r'Look through the <a href="(.*?)"', shown) == ["/diagnoses/", "/notes/"]


HOSTILE = {
    "operators of FTS5": '" OR NEAR(a b) * ^ : - { } title:x id:"' * 250,
    "names": "a." * 5000,
    "underlines": "a_" * 5000,
    "one word": "0x" * 5000,
    "capitals": "AbCdEf" * 1600,
    "exceptions": "a.b.C: d\n" * 1100,
    "brackets": "<a b" * 1500 + ">" * 1500,
    "nested brackets": "<a " * 1000 + ">" * 1000,
    "an open bracket": "<" + "a a\n" * (MAX_QUERY // 4 - 1),
    "slashes": "/a" * 5000,
    "typos": " ".join(f"connecttion{number}s" for number in range(600)),
    "words": "the connection of a consumer " * 340,
    "null characters": "\0" * 5000 + "zombie",
    "quotes": "'" * 10_000,
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


def test_the_work_grows_with_the_length_of_a_query_not_with_its_square(monkeypatch):
    monkeypatch.setattr("lessons.workshop.page.search.query.MAX_QUERY", 10**6)

    def duration(size):
        start = time.thread_time()
        read_query("<" + "a a\n" * size)
        return time.thread_time() - start

    short, long = (min(duration(size) for _ in range(3)) for size in (500, 8000))
    assert long < 64 * short  # 16 times the length; the square would be 256 times the work


def test_reads_as_much_as_a_page_sends():
    source = (
        Path(settings.BASE_DIR) / "lessons/workshop/page/static/lessons/common/search.js"
    ).read_text()
    assert f"const MAX_SENT = {MAX_QUERY};" in source


def test_of_a_very_long_query_the_end_counts():
    assert urls("elephant " * 5000 + "\nValueError: No route found for path 'x'.") == urls(
        "ValueError: No route found for path 'x'."
    )


def test_searches_in_several_threads_at_once():
    queries = [one["text"] for one in QUERIES] * 2
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(urls, queries)) == [urls(query) for query in queries]


def test_markup_in_a_query_is_shown_as_text():
    shown = page("/search/", q='"><script>alert(1)</script>')
    assert "<script>alert" not in shown
    assert escape('"><script>alert(1)</script>') in shown


# The diagnoses


def test_shows_every_diagnosis_in_full_with_an_anchor():
    shown = page("/diagnoses/")
    for one in diagnoses.catalogue().values():
        assert shown.count(f'id="{one.id}"') == 1
        assert all(
            escape(words) in shown for words in (one.title, one.symptom, one.cause, one.cure)
        )
    assert all(f'<h2 id="of-{one.key}">' in shown for one in lessons())


def test_shows_a_changed_diagnosis(monkeypatch):
    zombie = diagnoses.catalogue()["zombie"]
    assert escape(zombie.title) in page("/diagnoses/")
    changed = replace(zombie, title="Half dead")
    monkeypatch.setitem(diagnoses.catalogue(), "zombie", changed)
    shown = page("/diagnoses/")
    assert "Half dead" in shown
    assert escape(zombie.title) not in shown


def test_a_diagnosis_links_to_its_mistakes():
    (article,) = re.findall(r'<h3 id="zombie">.*?</article>', page("/diagnoses/"), re.DOTALL)
    assert '<a href="/lessons/03-stop/#mistake-StopsWithoutAClose">' in article


# The notes, and heading ids


def test_the_notes_have_a_table_of_contents():
    shown = page("/notes/")
    chapters = re.findall(r'<h2 id="([^"]+)"><a class="anchor"', shown)
    assert len(chapters) > 10
    assert re.findall(r'<li><a href="#([^"]+)">', shown)[: len(chapters)] == chapters
    urls = [f"/notes/{one}/" for one in chapters]
    for number, url in enumerate(urls):
        shown = page(url)
        assert re.findall(r'href="([^"]+)" aria-current="page"', shown) == [url]
        assert re.findall(r'<li><a href="(/notes/[^"#]+)"', shown) == urls
        assert re.findall(r'rel="prev" href="([^"]+)"', shown) == urls[:number][-1:]
        assert re.findall(r'rel="next" href="([^"]+)"', shown) == urls[number + 1 :][:1]
    assert Client().get("/notes/no-such-chapter/").status_code == 404


def test_a_link_to_another_chapter_leads_to_its_page():
    anchors = {}
    for url in set(re.findall(r'href="(/notes/[^"#]+/)"', page("/notes/installing/"))):
        anchors[url] = set(re.findall(r'id="([^"]+)"', page(url)))
    for url in anchors:
        shown = page(url)
        for link, anchor in re.findall(r'<a href="([^"#]*)#([^"]+)"', shown):
            if link in ("", *anchors):
                assert anchor in anchors[link or url]
    assert '<a href="/notes/redis/">Redis</a>' in page("/notes/installing/")


def test_the_notes_page_links_to_lessons_and_names_files():
    shown = page("/notes/")
    assert '<a href="/lessons/03-stop/">3</a>' in shown
    assert '<a href="/diagnoses/#text-on-binary">text-on-binary</a>' in shown
    assert "<code>sync_demo/consumers.py</code>" in shown
    addresses = set(re.findall(r'<a [^>]*href="([^"]*)"', shown))
    assert {address for address in addresses if not re.match("[/#]|https://", address)} == set()


def test_a_heading_is_a_link_to_itself():
    assert markdown_to_html("# T\n## Why `x`, now?\n") == (
        '<h1>T</h1>\n<h2 id="why-x-now">'
        '<a class="anchor" href="#why-x-now">Why <code>x</code>, now?</a></h2>\n'
    )


def test_equal_headings_get_different_ids_and_a_link_stays_a_link():
    shown = markdown_to_html("## A\n## A\n## [B](/b)\n")
    assert re.findall(r'id="(.*?)"', shown) == ["a", "a-1", "b"]
    assert '<h2 id="b"><a href="/b">B</a></h2>' in shown


@pytest.mark.parametrize(
    "path", ["/lessons/03-stop/", "/lessons/08-http/", "/diagnoses/", "/notes/"]
)
def test_every_id_on_a_page_is_unique(db, path):
    ids = re.findall(r'\bid="(.*?)"', page(path))
    assert sorted(set(ids)) == sorted(ids)


# The list


def test_the_list_continues_with_the_first_lesson_that_is_not_green(monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    assert "Start with lesson 1:" in page("/")
    green = Verdict("", "", (Outcome("a", "A", "green"),))
    progress.save_verdict(find("accept"), green)
    shown = page("/")
    assert "Continue with lesson 2:" in shown
    assert shown.count('aria-current="step"') == 1
    for one in lessons():
        progress.save_verdict(one, green)
    assert "Continue with" not in page("/")
