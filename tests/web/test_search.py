"""Search, and the pages that its results lead to."""

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
from lessons.web.search.search import LONGEST, MOST, search
from lessons.web.search.text_match import excerpt, folded, marked


def urls(query):
    return [result.entry.url for group in search(query) for result in group.results]


def page(path, **query):
    response = Client().get(path, query)
    assert response.status_code == 200
    return response.content.decode()


# What is found


def test_every_word_must_be_there_in_whatever_case_and_order():
    lesson, diagnosis, *notes = urls("ZOMBIE stopconsumer")
    assert (lesson, diagnosis) == ("/lessons/03-stop/#why", "/diagnoses/#zombie")
    assert {url.partition("#")[0] for url in notes} == {"/notes/"}
    assert urls("zombie stopconsumer elephant") == []


def test_accents_do_not_matter():
    assert urls("zömbié") == urls("zombie")


def test_a_word_is_found_by_its_beginning_and_by_the_parts_of_a_name():
    assert marked("transcript, websocket_send, send_json", ["script", "send"]) == [
        ("transcript, websocket_", False),
        ("send", True),
        (", ", False),
        ("send", True),
        ("_json", False),
    ]


def test_what_has_the_words_in_its_title_comes_first():
    assert urls("rooms")[0] == "/lessons/12-group/"


def test_a_lesson_is_found_in_the_code_that_it_shows():
    assert "/lessons/03-stop/#why" in urls("known.get")


def test_a_diagnosis_is_found_by_its_id():
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


def test_a_message_that_any_error_of_a_type_may_have_needs_the_type():
    assert urls("JSONDecodeError: no such thing")[0] == "/diagnoses/#bad-json"
    assert urls("elephants: no such thing") == []


def test_a_change_is_found_a_second_later_and_files_are_looked_at_once_till_then(
    course, monkeypatch
):
    monkeypatch.setattr(search_index, "this_second", lambda: -1)
    notes = catalogue.PROJECT_DIR / "NOTES.md"
    assert urls("zebras") == []
    notes.write_text("# Zebras\n")
    assert urls("zebras") == []
    monkeypatch.setattr(search_index, "this_second", lambda: 0)
    assert urls("zebras") == ["/notes/"]


def test_what_was_changed_is_found_as_it_is_now(course, monkeypatch):
    monkeypatch.setattr(search_index, "this_second", count(-9).__next__)
    notes = catalogue.PROJECT_DIR / "NOTES.md"
    notes.write_text("# Notes\n\n## Of `zebras`\nStripes.\n\n## Of gnus\n\n### Horns\nTwo.\n")
    assert urls("zebras") == urls("stripes") == ["/notes/#of-zebras"]
    (gnus,) = search("horns")
    assert gnus.results[0].entry.place == "Of gnus"
    notes.write_text("# Notes\n\nZebras are gone.\n")
    os.utime(notes, ns=(1, 1))
    assert urls("zebras") == ["/notes/"]
    notes.unlink()
    assert urls("zebras") == []
    assert Client().get("/notes/").status_code == 404


def test_every_result_leads_to_a_place_that_there_is(db):
    found = [url.partition("#") for url in urls("refused 1006")]
    pages = {path: page(path) for path, *_ in found}
    assert {"/diagnoses/", "/lessons/03-stop/"} <= set(pages)
    for path, _, anchor in found:
        assert f'id="{anchor}"' in pages[path]


# What is shown


def test_an_excerpt_stands_round_the_first_word_and_marks_all_of_them():
    text = "one " * 50 + "Straße and two, strasse " + "three " * 50
    pieces = excerpt(text, folded(text), ["strasse"])
    assert [piece for piece, is_word in pieces if is_word] == ["Straße", "strasse"]
    shown = "".join(piece for piece, _ in pieces)
    assert re.fullmatch(r"… (one )+Straße and two, strasse (three )+…", shown)
    assert excerpt("short", "short", ["elsewhere"]) == [("short", False)]


def test_the_page_groups_results_marks_the_words_and_counts():
    shown = page("/search/", q="zombie stopconsumer")
    assert re.findall(r'<h2 id="group[^>]*>(\w+)', shown) == ["Lessons", "Diagnoses", "Notes"]
    assert "<mark>StopConsumer</mark>" in shown
    assert f"{len(urls('zombie stopconsumer'))} results" in shown
    assert 'value="zombie stopconsumer"' in shown


def test_of_many_results_the_best_are_shown_and_all_are_counted():
    (first, *_) = search("the")
    assert len(first.results) == MOST < first.count
    assert f"{MOST} of {first.count}" in page("/search/", q="the")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "In the lessons, the diagnoses and the notes."),
        ("  ", "In the lessons, the diagnoses and the notes."),
        (".*", "Nothing has all of these words."),
        ("(((", "Nothing has all of these words."),
        ("\0\ud800".encode("utf-8", "replace").decode(), "Nothing has all of these words."),
        ("a" * LONGEST, "Nothing has all of these words."),
        ("a" * 10_000, f"That is more than {LONGEST} characters."),
    ],
)
def test_what_finds_nothing_says_why(query, told):
    assert told in page("/search/", q=query)


def test_markup_in_a_query_is_shown_as_text():
    shown = page("/search/", q='"><script>alert(1)</script>')
    assert "<script>alert" not in shown
    assert escape('"><script>alert(1)</script>') in shown


# The diagnoses


def test_every_diagnosis_has_an_anchor_its_words_and_its_lesson():
    shown = page("/diagnoses/")
    for one in diagnoses.catalogue().values():
        assert shown.count(f'id="{one.id}"') == 1
        assert all(
            escape(words) in shown for words in (one.title, one.symptom, one.cause, one.cure)
        )
    assert all(f'<h2 id="of-{one.key}">' in shown for one in lessons())


def test_a_diagnosis_is_shown_as_it_is_now(monkeypatch):
    zombie = diagnoses.catalogue()["zombie"]
    assert escape(zombie.title) in page("/diagnoses/")
    changed = replace(zombie, title="Half dead")
    monkeypatch.setitem(diagnoses.catalogue(), "zombie", changed)
    shown = page("/diagnoses/")
    assert "Half dead" in shown
    assert escape(zombie.title) not in shown


def test_a_diagnosis_leads_to_the_mistakes_that_get_it():
    (article,) = re.findall(r'<h3 id="zombie">.*?</article>', page("/diagnoses/"), re.DOTALL)
    assert '<a href="/lessons/03-stop/#mistake-StopsWithoutAClose">' in article


# The notes, and addresses in a text


def test_the_notes_have_a_table_of_contents():
    shown = page("/notes/")
    chapters = re.findall(r'<h2 id="([^"]+)"><a class="anchor"', shown)
    assert chapters
    assert re.findall(r'<li><a href="#([^"]+)">', shown)[: len(chapters)] == chapters


def test_on_their_page_the_notes_lead_to_lessons_and_name_files():
    shown = page("/notes/")
    assert '<a href="/lessons/03-stop/">3</a>' in shown
    assert "<code>sync_demo/consumers.py</code>" in shown
    assert (
        '<sup title="tests/sync_demo/test_01_accept.py: test_is_routed_at_no_other_path">' in shown
    )
    addresses = set(re.findall(r'<a [^>]*href="([^"]*)"', shown))
    assert {address for address in addresses if not re.match("[/#]|https://", address)} == set()


def test_a_heading_is_a_link_to_itself():
    assert markdown_to_html("# T\n## Why `x`, now?\n") == (
        '<h1>T</h1>\n<h2 id="why-x-now">'
        '<a class="anchor" href="#why-x-now">Why <code>x</code>, now?</a></h2>\n'
    )


def test_two_headings_of_one_name_have_two_addresses_and_a_link_stays_a_link():
    shown = markdown_to_html("## A\n## A\n## [B](/b)\n")
    assert re.findall(r'id="(.*?)"', shown) == ["a", "a-1", "b"]
    assert '<h2 id="b"><a href="/b">B</a></h2>' in shown


@pytest.mark.parametrize(
    "path", ["/lessons/03-stop/", "/lessons/08-http/", "/diagnoses/", "/notes/"]
)
def test_no_id_stands_twice_on_a_page(db, path):
    ids = re.findall(r'\bid="(.*?)"', page(path))
    assert sorted(set(ids)) == sorted(ids)


# The list


def test_the_list_begins_or_goes_on_with_the_first_lesson_that_is_not_green(monkeypatch, tmp_path):
    monkeypatch.setattr(progress, "state_dir", lambda: tmp_path)
    assert "Begin with lesson 1:" in page("/")
    green = Verdict("", "", (Outcome("a", "A", "green"),))
    progress.keep_verdict(find("accept"), green)
    shown = page("/")
    assert "Go on with lesson 2:" in shown
    assert shown.count('aria-current="step"') == 1
    for one in lessons():
        progress.keep_verdict(one, green)
    assert "Go on" not in page("/")
