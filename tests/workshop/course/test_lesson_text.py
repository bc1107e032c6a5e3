"""The text of a lesson: code from its file, recorded transcripts, and safe HTML."""

import re
import sys

import pytest
from django.conf import settings

from lessons.workshop.course import lesson_index, source_code
from lessons.workshop.course.lesson_index import find
from lessons.workshop.course.lesson_text import (
    TextError,
    expand_markdown,
    expanded_teach_page,
)
from lessons.workshop.course.source_code import UnknownName, find_demo_source, find_source
from lessons.workshop.page.markup import markdown_to_html

SHOP = '''\
"""A shop."""

raise RuntimeError("this module was run")

HOURS = [
    9,
    17,
]


class Shop:
    open = True

    @property
    @staticmethod
    def greet(self):
        """Says <hello>."""
        return """
Good day.
"""

    async def close(self):
        self.open = False
'''


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """`shop.py` on the path: it raises if it is imported."""
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    return file


def test_a_code_block_holds_the_source_of_the_name_and_its_place(shop):
    text = expand_markdown("Look:\n\n```code shop.Shop.close\n```\n\nSo.\n", "lesson.md")
    assert text == (
        "Look:\n\n```python shop.py:22\nasync def close(self):\n    self.open = False\n```\n\nSo.\n"
    )


def test_decorators_belong_to_the_function_and_nothing_is_imported_to_find_it(shop):
    found = find_source("shop.Shop.greet")
    assert found.first_line == 14
    assert found.text.startswith("@property\n@staticmethod\ndef greet(self):")
    assert "shop" not in sys.modules


def test_a_whole_module_and_a_variable_can_be_named(shop):
    assert find_source("shop").text == SHOP.rstrip()
    assert find_source("shop.HOURS").text == "HOURS = [\n    9,\n    17,\n]"


@pytest.mark.parametrize("name", ["shop.Shop.sell", "no_such.Thing", "../shop", "shop..Shop"])
def test_an_unknown_name_is_an_error_that_names_lesson_and_name(shop, name):
    with pytest.raises(TextError) as raised:
        expand_markdown(f"```code {name}\n```\n", "course/03_stop/lesson.md")
    assert str(raised.value).startswith(
        f"course/03_stop/lesson.md: ```code {name} cannot be shown, "
    )
    assert isinstance(raised.value.__cause__, UnknownName)


def test_code_retyped_into_a_code_block_is_an_error(shop):
    with pytest.raises(TextError, match=r"the block ```code shop\.HOURS must be empty"):
        expand_markdown("```code shop.HOURS\nHOURS = []\n```\n", "lesson.md")


def test_html_in_markdown_code_and_captions_is_shown_as_text():
    markdown = '<script>alert(1)</script> [x](javascript:alert) **b**\n\n<p onclick="x">'
    html = markdown_to_html(markdown)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert 'href="javascript' not in html
    assert "<strong>b</strong>" in html
    assert "<p onclick" not in html
    html = markdown_to_html('```python <i>\nx = "<b>"\n```\n\n```"><u>\n<b>\n```\n')
    assert not [tag for tag in ("<b>", "<i>", "<u>") if tag in html]
    assert "&lt;b&gt;" in html


def test_nothing_outside_the_packages_can_be_named(tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.py").write_text("key = 1")
    monkeypatch.setattr(source_code.sys, "path", [str(tmp_path / "inside")])
    with pytest.raises(UnknownName):
        find_source("..secret.key")


def test_the_source_of_a_demo_includes_its_base_classes_in_the_same_file():
    source = find_demo_source("db_demo.chat.raw.Chat")
    assert source.text.startswith("class LiveChat(AsyncConsumer):")
    assert source.text.endswith(find_source("db_demo.chat.raw.Chat").text)
    assert "websocket_connect" in source.methods()
    name = "db_demo.consumers.LiveBlog"
    assert find_demo_source(name) == find_source(name)


def test_the_instructors_page_adds_drawings_the_command_for_the_tests_and_the_code_of_mistakes():
    page = expanded_teach_page(lesson_index.find("stop"))
    show, mistakes = page.partition("## Usual mistakes\n")[::2]
    assert "](two-lives.svg)\n\n" in show.partition("## Show\n")[2]
    assert mistakes.startswith(
        "`python3 manage.py test --lesson 3` prints a line for each claim.\n\n"
    )
    code = (
        "  ```python lessons/03_stop/mistakes.py:100\n  class StopsWithoutAClose(StoppingGame):\n"
    )
    assert code in mistakes


def test_the_script_in_lesson_10_is_that_of_its_page():
    text = find("page").path_to("lesson.md").read_text(encoding="utf-8")
    script = (settings.BASE_DIR / "async_demo/static/async_demo/board.js").read_text("utf-8")
    assert re.search(r"```js\n(.+?)```", text, re.DOTALL)[1] in script
