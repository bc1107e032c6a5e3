"""A lesson shows the figures of this machine, or says how to measure them."""

import pytest

from lessons.workshop.course.lesson_text import expand_markdown
from lessons.workshop.page.markup import markdown_to_html

BLOCK = "Before.\n\n```chart echo\n```\n\nAfter.\n"


@pytest.fixture
def bench(settings, tmp_path):
    settings.STATE_DIR = tmp_path
    folder = tmp_path / "bench"
    folder.mkdir()
    return folder


def test_without_figures_the_text_names_the_command(bench):
    text = expand_markdown(BLOCK, "lesson.md")
    assert "`python3 manage.py bench echo`" in text
    assert "```" not in text


def test_the_text_has_the_table_and_the_page_shows_the_chart_above_it(bench):
    (bench / "echo.txt").write_text("bare 1.00\n", encoding="utf-8")
    (bench / "echo.svg").write_text('<svg viewBox="0 0 690 390"/>', encoding="utf-8")
    text = expand_markdown(BLOCK, "lesson.md")
    assert "```text chart: echo\nbare 1.00\n```" in text
    html = markdown_to_html(text)
    assert '<img src="/charts/echo.svg" width="690" height="390" loading="lazy" alt="' in html
    assert html.index("<img") < html.index("bare 1.00")
    assert "<img" not in markdown_to_html("```text\nbare\n```")


def test_the_chart_is_served_and_never_cached(bench, client):
    (bench / "echo.svg").write_text("<svg/>", encoding="utf-8")
    answer = client.get("/charts/echo.svg")
    assert (answer.content, answer["Content-Type"]) == (b"<svg/>", "image/svg+xml")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/charts/echo.svg", "/charts/..%2Fdb.svg", "/charts/../db.svg"])
def test_an_unknown_chart_is_not_found(bench, client, path):
    assert client.get(path).status_code == 404
