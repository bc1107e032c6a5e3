"""Lesson 10 in a real browser: the board's page comes back, or stays away, as the code says."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def board(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install(time="2030-01-01T09:00:00Z")
        page.goto(f"{address}/async/page/")
        expect(page.locator("#state")).to_have_text("Connected.")
        page.clock.pause_at("2030-01-01T10:00:00Z")
        yield page


def pin_up(page, text):
    page.get_by_label("Note").fill(text)
    page.get_by_role("button", name="Pin it up").click()
    expect(page.locator("#notes li").last).to_have_text(text)


def close_with(page, code):
    page.get_by_role("button", name=code).click()
    expect(page.locator("#state")).to_contain_text(f"Closed with {code}.")


def test_comes_back_with_its_last_id_and_receives_what_it_lacks(board, address):
    pin_up(board, "bread")
    close_with(board, "4012")
    other = board.context.new_page()
    other.goto(f"{address}/async/page/")
    pin_up(other, "milk")
    board.clock.run_for(2_000)
    expect(board.locator("#state")).to_have_text("Connected.")
    expect(board.locator("#notes li")).to_have_text(["bread", "milk"])


def test_comes_back_after_a_minute_if_there_is_no_place(board):
    close_with(board, "4013")
    board.clock.run_for(59_000)
    expect(board.locator("#state")).to_have_text(re.compile(r"Back in (6|7|8|9|10|11)\d\.\d s"))
    board.clock.run_for(61_000)
    expect(board.locator("#state")).to_have_text("Connected.")


@pytest.mark.parametrize("code", ["1000", "4401"])
def test_stays_away(board, code):
    close_with(board, code)
    board.clock.run_for(600_000)
    expect(board.locator("#state")).to_have_text(f"Closed with {code}. This page stays away.")
