"""Logs in as a person does: on lesson 16's page."""

from playwright.sync_api import expect


def log_in(page, address):
    """As student, whom the workshop has seeded."""
    page.goto(f"{address}/auth/login/")
    page.get_by_label("Username").fill("student")
    page.get_by_label("Password").fill("student")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("You are student.")).to_be_visible()
