"""Logs in on lesson 16's page, as a user does."""

from playwright.sync_api import expect


def log_in(page, address):
    """Log in as student, a user that the workshop creates."""
    page.goto(f"{address}/auth/login/")
    page.get_by_label("Username").fill("student")
    page.get_by_label("Password").fill("student")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You are student.")).to_be_visible()
