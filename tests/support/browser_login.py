"""Logs in on lesson 16's page, as a user does."""

from playwright.sync_api import expect


def log_in(page, address, user="student"):
    """Log in as student or instructor, users that the workshop creates."""
    page.goto(f"{address}/auth/login/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(user)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(f"You are {user}.")).to_be_visible()
