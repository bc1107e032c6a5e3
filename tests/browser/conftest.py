"""A real Daphne, a real Chromium, and a student's hands on a lesson's page."""

import os
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from lessons.core.catalogue import PROJECT_DIR

TEST_TIMEOUT = 20  # seconds, only ever spent by a test that fails
READY = "Workshop ready at "
MADE = pytest.StashKey[dict]()
expect.set_options(timeout=TEST_TIMEOUT * 1000)


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory):
    """Where the server keeps progress and database."""
    return tmp_path_factory.mktemp("workshop")


@pytest.fixture(scope="session")
def address(chromium, state_dir):
    """`http://127.0.0.1:port` of a workshop of the tests' own."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.support.servers.browser_settings",
        "WORKSHOP_STATE_DIR": str(state_dir),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "manage.py", "workshop", "--port", "0", "--no-reload"]
    process = subprocess.Popen(
        command,
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(READY):
            break
    else:
        process.wait(TEST_TIMEOUT)
        pytest.fail("The workshop did not start:\n" + "".join(said))
    # Daphne logs each request; a full pipe would stop it.
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    yield line.removeprefix(READY).strip().rstrip("/")
    process.terminate()
    process.wait(TEST_TIMEOUT)
    drain.join(TEST_TIMEOUT)
    process.stdout.close()


def for_the_folder(request, manager):
    """What the context manager gives, until the first test of another folder begins.

    A browser for each module is dear; but Playwright's loop, which runs as long as there is one,
    must be gone before a test that is async begins.
    """
    folder, name = request.node.parent, request.fixturename
    made = folder.stash.setdefault(MADE, {})
    if name not in made:
        stack = ExitStack()
        made[name] = stack.enter_context(manager)
        stack.callback(made.pop, name)
        folder.addfinalizer(stack.close)
    return made[name]


@contextmanager
def launched(chromium):
    # A renderer for each visit would cost a fifth more.
    arguments = ["--no-sandbox", "--renderer-process-limit=1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(request, chromium):
    return for_the_folder(request, launched(chromium))


class LessonPage:
    """What a student does on a page, and what is seen there."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.errors, self.elsewhere = [], []
        page.on("console", self._keep_errors)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._keep_elsewhere)

    def _keep_errors(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _keep_elsewhere(self, request):
        if urlsplit(request.url).netloc not in ("", urlsplit(self.address).netloc):
            self.elsewhere.append(request.url)

    def open(self, key):
        response = self.page.goto(f"{self.address}/lessons/{key}/")
        assert response.status == 200
        return self

    def client(self, number=1):
        """The forms and the status of one client."""
        return self.page.get_by_role("group", name=f"Client {number}", exact=True)

    def status(self, client=1):
        return self.client(client).get_by_role("status")

    def fill(self, label, text, client=1):
        self.client(client).get_by_label(label, exact=True).fill(text)

    def choose(self, label, option, client=1):
        self.client(client).get_by_label(label, exact=True).select_option(option)

    def press(self, name, client=1):
        """A button of a client; where that has none of this name, one of the page's."""
        button = self.client(client).get_by_role("button", name=name, exact=True)
        page_wide = self.page.get_by_role("button", name=name, exact=True)
        (button if button.count() else page_wide).click()

    def connect(self, path=None, subprotocols=None, state="open", client=1):
        """Connect, and wait until the client says so; `state` is another end of it."""
        if path is not None:
            self.fill("Path and query", path, client)
        if subprotocols is not None:
            self.fill("Subprotocols", subprotocols, client)
        self.press("Connect", client)
        expect(self.status(client)).to_have_attribute("data-state", state)

    def send(self, payload, kind="text", client=1):
        """Send a frame; an empty payload is one, too."""
        self.choose("Frame", kind, client)
        self.fill("Payload", payload, client)
        self.press("Send", client)

    def expect_status(self, text, client=1):
        expect(self.status(client)).to_have_text(text)

    def expect_browser_log(self, *lines):
        """All that the browser was told, so far."""
        expect(self.page.locator("#browser-log li")).to_have_text(list(lines))

    def numbers(self):
        cells = self.page.locator("#events td:first-child").all_text_contents()
        return [int(cell) for cell in cells]

    def lit(self):
        """The source lines that are lit up."""
        return self.page.locator(".line.highlighted").all_text_contents()

    def expect_highlighted(self, method):
        first = self.page.locator(".line.highlighted").first
        expect(first).to_have_attribute("data-method", method)


@contextmanager
def still(browser, address):
    # Nothing is animated in it, which costs a tenth; in a window with options things move.
    with browser.new_context(reduced_motion="reduce") as context:
        yield LessonPage(context.new_page(), address)


@pytest.fixture(scope="module")
def window(request, browser, address):
    """One window for all tests that need no other: a new one costs as much as a whole test."""
    return for_the_folder(request, still(browser, address))


@pytest.fixture
def visit(browser, address, window):
    """`visit("03-stop")`: a new browser session on that page; with options, a window of its own.

    At the end there has been no error on any console but those that a test took away, and no
    request to anywhere else.
    """
    window.page.context.clear_cookies()
    window.errors.clear()
    contexts, pages = [], []

    def start(key, **options):
        if not (options or pages):
            pages.append(window)
        else:
            contexts.append(browser.new_context(**options))
            pages.append(LessonPage(contexts[-1].new_page(), address))
        return pages[-1].open(key)

    yield start
    for context in contexts:
        context.close()
    window.page.goto("about:blank")
    assert [page.errors for page in pages] == [[] for _ in pages]
    assert [page.elsewhere for page in pages] == [[] for _ in pages]


@pytest.fixture
def page_at(browser):
    """`page_at("http://127.0.0.1:8001")`: a page of another server, in a session of its own."""
    with browser.new_context() as context:
        pages = []

        def start(address):
            pages.append(LessonPage(context.new_page(), address))
            return pages[-1]

        yield start
        assert [(page.errors, page.elsewhere) for page in pages] == [([], []) for _ in pages]
