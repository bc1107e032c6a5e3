"""Lesson 21 in a real browser: every open page shows the posts of the admin, as text."""

import re

import pytest
from playwright.sync_api import expect

EVIL = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"


@pytest.fixture
def admin(browser, address):
    """A window of the admin. Errors on Django's own pages do not count."""
    with browser.new_context() as context:
        page = context.new_page()
        sign_in(page, address)
        yield page


def sign_in(page, address):
    page.goto(f"{address}/admin/login/")
    page.get_by_label("Username").fill("instructor")
    page.get_by_label("Password").fill("instructor")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def save(page, title, text):
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".success")).to_be_visible()


def test_every_page_shows_a_new_changed_and_deleted_post_as_text(page_at, admin, address):
    readers = [page_at(address), page_at(address)]
    for reader in readers:
        response = reader.page.goto(f"{address}/db/liveblog/")
        assert "script-src 'self'" in response.headers["content-security-policy"]
        expect(reader.page.get_by_role("status")).to_have_text("Live.")
    posts = [reader.page.locator("#posts li") for reader in readers]

    admin.goto(f"{address}/admin/db_demo/post/add/")
    save(admin, EVIL, "It rains.")
    for shown in posts:
        expect(shown).to_have_text([f"{EVIL}It rains."])
        expect(shown.get_by_role("heading")).to_have_text(EVIL)
        expect(shown.locator("script, img")).to_have_count(0)

    admin.get_by_role("row").get_by_role("link", name=EVIL).click()
    save(admin, "Hail", "It hails.")
    for shown in posts:
        expect(shown).to_have_text(["HailIt hails."])

    late, sockets = page_at(address).page, []
    late.clock.install(time=0)
    late.clock.pause_at(1000)  # the test decides when the page tries again
    late.route_web_socket("**", lambda socket: sockets.append((socket, socket.connect_to_server())))
    late.goto(f"{address}/db/liveblog/")
    late_posts = late.locator("#posts li")
    expect(late_posts).to_have_text(["HailIt hails."])
    sockets[0][0].close()
    expect(late.get_by_role("status")).to_have_text("No connection. Trying again…")

    admin.get_by_role("row").get_by_role("link", name="Hail").click()
    admin.locator(".deletelink").click()
    admin.get_by_role("button", name=re.compile("^Yes")).click()
    expect(admin.locator(".success")).to_be_visible()
    for shown in posts:
        expect(shown).to_have_count(0)
    expect(late_posts).to_have_count(1)
    late.clock.run_for(2000)
    expect(late.get_by_role("status")).to_have_text("Live.")
    expect(late_posts).to_have_count(0)
    assert {reader.page.title() for reader in readers} == {"Live blog"}
