"""The instructor's board of a class in a browser."""

from playwright.sync_api import expect

from tests.support.lesson_page import errors_of


class BoardPage:
    """What an instructor does on the board, and the errors in the console."""

    def __init__(self, room, page):
        self.room, self.page, self.errors = room, page, errors_of(page)
        page.set_viewport_size({"width": 1366, "height": 800})

    def create_class(self, name):
        """Create a class. Sign in where this session has not."""
        self.page.goto(f"{self.room.url}/room/")
        if self.page.get_by_label("Password").count():
            self.page.get_by_label("Username").fill("instructor")
            self.page.get_by_label("Password").fill(self.room.password)
            self.press("Sign in")
        self.page.get_by_label("Name", exact=True).fill(name)
        self.press("Create the class")
        self.expect_connected()
        self.code = self.page.locator(".class-code").text_content()

    def expect_connected(self):
        expect(self.page.locator("#connection")).to_have_text("connected")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose_lesson(self, opener, slug):
        self.press(opener)
        self.page.get_by_role("dialog").locator("[name=lesson]").select_option(slug)

    def tile(self, name):
        return self.page.locator(".tile").filter(has_text=name)
