"""A lesson's page in a browser: what a student does there, and what the page shows."""

from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError, expect

# The events of the picture's diagram, a line each.
EVENTS = """() => document.querySelector("#diagram").diagram.transcript.entries
  .map(({ event }) => event)
  .filter(({ lane, message: { type } }) => lane !== "database" && type !== "scope")
  .map(({ direction, text }) => [{ in: "→", out: "←", mark: "·" }[direction], text].join(" "))
  .join("\\n").replace(/ +/g, " ")"""
# Pastes the text that it gets into the editor: (box, text) => …
PASTE = """(box, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const options = { clipboardData, bubbles: true, cancelable: true };
  box.dispatchEvent(new ClipboardEvent("paste", options));
}"""


def errors_of(page):
    """A list that gets each error and each warning of the page."""
    errors, kinds = [], ("error", "warning")
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: line.type in kinds and errors.append(line.text))
    return errors


class LessonPage:
    """What a student does on a lesson's page, and what the page shows."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.errors, self.foreign_requests = errors_of(page), []
        page.on("request", self._keep_foreign_request)

    def _keep_foreign_request(self, request):
        if urlsplit(request.url).netloc not in ("", urlsplit(self.address).netloc):
            self.foreign_requests.append(request.url)

    def open(self, key):
        response = self.page.goto(f"{self.address}/lessons/{key}/")
        assert response.status == 200
        return self

    def show(self, step):
        """Show a step of the lesson: Predict, See, Do, or on a narrow page Picture."""
        link = self.page.get_by_role("navigation", name="Steps").get_by_role("link", name=step)
        link.click()
        expect(link).to_have_attribute("aria-current", "step")
        return self

    def menu(self, name):
        """Press a button of the menu."""
        self.page.get_by_role("button", name="Menu", exact=True).click()
        self.page.get_by_role("dialog", name="Menu").get_by_role("button", name=name).click()

    def play(self, target):
        """Let the clients connect to a target, such as "exercise"."""
        self.page.get_by_role("button", name="Menu", exact=True).click()
        self.page.get_by_label("Playing:").select_option(target)
        self.page.keyboard.press("Escape")

    def client(self, number=1):
        """The forms and the status of one client."""
        return self.page.get_by_role("group", name=f"Client {number}", exact=True)

    def status(self, client=1):
        return self.client(client).get_by_role("status")

    def field(self, label, client=1):
        """A field of the client. Most are among its options, which are folded at first."""
        field = self.client(client).get_by_label(label, exact=True)
        if not field.count():
            self.client(client).get_by_role("button", name="Options").click()
        return field

    def fill(self, label, text, client=1):
        self.field(label, client).fill(text)

    def choose(self, label, option, client=1):
        self.field(label, client).select_option(option)

    def press(self, name, client=1):
        """Press a button of the client; if the client has no such button, one of the page."""
        button = self.client(client).get_by_role("button", name=name, exact=True)
        page_wide = self.page.get_by_role("button", name=name, exact=True)
        (button if button.count() else page_wide).click()

    def connect(self, path=None, state="open", client=1):
        """Connect, and wait until the client has this state."""
        if path is not None:
            self.fill("Path and query", path, client)
        self.press("Connect", client)
        expect(self.status(client)).to_have_attribute("data-state", state)

    def send(self, payload, kind="text", client=1):
        """Send a frame, even an empty one."""
        if kind != "text":
            self.choose("Frame", kind, client)
        self.fill("Payload", payload, client)
        self.press("Send", client)
        if kind != "text":
            self.choose("Frame", "text", client)

    def expect_status(self, text, client=1):
        expect(self.status(client)).to_have_text(text)

    def expect_drawn(self, text, count=1):
        """Expect so many events of the diagram to have this text."""
        labels = self.page.locator("#diagram .label", has_text=text)
        expect(labels).to_have_count(count)

    def expect_events(self, *wanted):
        """Expect exactly these recorded events, without scopes and queries."""
        with suppress(TimeoutError):
            self.page.wait_for_function(f"wanted => ({EVENTS})() === wanted", arg="\n".join(wanted))
        assert self.page.evaluate(EVENTS).split("\n") == list(wanted)

    def expect_highlighted(self, method):
        first = self.page.locator("#source .highlighted").first
        expect(first).to_have_attribute("data-method", method)


def log_in(page, address, name="student", password=""):
    """Log in. The password of the workshop's accounts is their name."""
    page.goto(f"{address}/auth/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password or name)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text(f"You are {name}.")).to_be_visible()


def write_in_page(page, path, text):
    """Replace the text of the page's editor, which edits the file `path`."""
    page.locator("#editor").evaluate("editor => editor.scrollIntoView()")
    editor = page.get_by_role("textbox", name=f"The file {path}")
    editor.click()
    page.keyboard.press("Control+a")
    editor.evaluate(PASTE, text)
