"""The drawings of a lesson, as a part of its page."""

import re

import pytest

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.page.views.drawings import text_to_html

SVG = """<?xml version="1.0"?>
<svg viewBox="0 0 9 9"><g id="a"/><use href="#a" fill="url(#a)"/></svg>
"""
NAMED = re.compile(r"!\[[^]]*\]\(([\w-]+\.svg)")
FORBIDDEN = re.compile(
    r"<(style|script|foreignObject|image)\b|\s(style|on\w+)=|https?://(?!www\.w3)"
)


def test_a_drawing_becomes_a_part_of_the_page_with_ids_that_only_it_has(tmp_path):
    (tmp_path / "post.svg").write_text(SVG)
    html = text_to_html('Text.\n\n![A "post" office](post.svg "Letters")\n', tmp_path)
    assert '<svg role="img" aria-label="A &quot;post&quot; office" viewBox="0 0 9 9">' in html
    assert '<g id="post-a"/><use href="#post-a" fill="url(#post-a)"/>' in html
    assert "<figcaption>Letters</figcaption>" in html
    assert "<?xml" not in html


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.slug)
def test_each_drawing_of_a_lesson_exists_and_obeys_the_policy(lesson):
    texts = [lesson.text, lesson.teach_page.read_text(encoding="utf-8")]
    named = {name for text in texts for name in NAMED.findall(text)}
    files = {file.name: file for file in lesson.folder.glob("*.svg")}
    assert named == set(files)
    for file in files.values():
        assert FORBIDDEN.search(file.read_text(encoding="utf-8")) is None
