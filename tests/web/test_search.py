"""Search, and the pages that its results link to."""

import os
import re
from dataclasses import replace
from itertools import count

import pytest
from django.test import Client
from django.utils.html import escape

from lessons.core import catalogue, diagnoses, progress
from lessons.core.catalogue import find, lessons
from lessons.judge.verdict import Outcome, Verdict
from lessons.web.markup import markdown_to_html
from lessons.web.search import search_index
from lessons.web.search.search import MAX_QUERY, MAX_RESULTS, search


@pytest.fixture
def notes(course, monkeypatch):
    """NOTES.md of a small course, whose files are read before each search."""
    monkeypatch.setattr(search_index, "this_second", count(-9).__next__)
    return catalogue.PROJECT_DIR / "NOTES.md"


def urls(query):
    return [result.url for group in search(query) for result in group.results]


def page(path, **query):
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


# What is found


def test_every_word_must_occur_in_any_case_and_order():
    lesson, diagnosis, *notes = urls("ZOMBIE stopconsumer")
    assert (lesson, diagnosis) == ("/lessons/03-stop/#why", "/diagnoses/#zombie")
    assert all(url.startswith("/notes/") for url in notes)
    assert urls("zombie stopconsumer elephant") == []


def test_accents_do_not_matter():
    assert urls("zömbié") == urls("zombie")


def test_finds_a_word_by_its_beginning_and_by_the_parts_of_a_name(notes):
    notes.write_text("# Notes\nA transcript, then websocket_send and send_json.\n")
    *_, group = search("sen")
    shown = "A transcript, then websocket_<mark>send</mark> and <mark>send</mark>_json."
    assert [result.excerpt for result in group.results] == [shown]
    assert "/notes/" not in urls("script")


def test_finds_a_code_word_whole(notes):
    notes.write_text("# Notes\n## A\ngroup_send, websocket.accept\n## B\nsend to a group\n")

    def anchors(query):
        return [url.removeprefix("/notes/").strip("/") for url in urls(query) if "/notes/" in url]

    assert anchors("group_send") == anchors("group_se") == anchors("websocket.accept") == ["a"]
    assert anchors("group send") == ["a", "b"]


def test_matches_in_a_title_come_first():
    assert urls("rooms")[0] == "/lessons/12-group/"


def test_finds_a_lesson_by_the_code_that_it_shows():
    assert "/lessons/03-stop/#why" in urls("logger.info")


def test_finds_a_diagnosis_by_its_id():
    assert "/diagnoses/#no-accept" in urls("no-accept")


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
    assert urls("elephants: no such thing") == []


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
    (gnus,) = search("horns")
    assert gnus.results[0].place == "Of gnus"
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
    excerpt = search("angstrom two")[0].results[0].excerpt
    marked = "<mark>Ångström</mark> and <mark>two</mark>, <mark>angstrom</mark>"
    assert re.fullmatch(rf"… (one )+{marked}( three)+ …", excerpt)


def test_markup_and_mark_characters_in_a_text_are_shown_as_text(notes):
    mark = search_index.MARK_START
    notes.write_text(f"# Notes\n`<b>` zebras {mark}<script>alert(1)</script> & more\n")
    shown = "&lt;b&gt; <mark>zebras</mark> &lt;script&gt;alert(1)&lt;/script&gt; &amp; more"
    assert search("zebras")[0].results[0].excerpt == shown


def test_says_what_to_do_where_sqlite_has_no_full_text_search(notes, monkeypatch):
    monkeypatch.setattr(search_index, "_CREATE", "CREATE VIRTUAL TABLE entries USING fts99(title)")
    shown = page("/search/", q="zombie")
    assert "Search needs SQLite with FTS5" in shown
    assert "Install Python from" in shown


def test_the_page_groups_marks_and_counts_results():
    shown = page("/search/", q="zombie stopconsumer")
    assert re.findall(r'<h2 id="group[^>]*>(\w+)', shown) == ["Lessons", "Diagnoses", "Notes"]
    assert "<mark>StopConsumer</mark>" in shown
    assert f"{len(urls('zombie stopconsumer'))} results" in shown
    assert 'value="zombie stopconsumer"' in shown


def test_shows_the_best_of_many_results_and_counts_all():
    (first, *_) = search("the")
    assert len(first.results) == MAX_RESULTS < first.count
    assert f"{MAX_RESULTS} of {first.count}" in page("/search/", q="the")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Searches the lessons, the diagnoses and the notes."),
        ("  ", "Searches the lessons, the diagnoses and the notes."),
        (".*", "No text contains all of these words."),
        ("(((", "No text contains all of these words."),
        ("\0\ud800".encode("utf-8", "replace").decode(), "No text contains all of these words."),
        ("a" * MAX_QUERY, "No text contains all of these words."),
        ("a" * 10_000, f"This is more than {MAX_QUERY} characters."),
    ],
)
def test_a_search_without_results_says_why(query, message):
    assert message in page("/search/", q=query)


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


def test_a_proof_is_a_footnote_at_the_end_of_its_chapter():
    for shown in (page("/notes/"), page("/notes/installing/")):
        link = r'<a href="#(fn-installing-\d+)" id="fnref-installing-\d+">\d+</a></sup>'
        (first, *_) = re.findall(link, shown)
        proof = shown.partition(f'<li id="{first}"')[2].partition("</li>")[0]
        assert re.search(r"<code>tests/notes/test_\w+.py</code>: <code>test_\w+</code>", proof)
        assert "[^test" not in shown


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
