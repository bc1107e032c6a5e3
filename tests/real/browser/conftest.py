"""A real workshop, a real Chromium, and a student who uses a lesson's page."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from lessons.workshop.course.lesson_index import PROJECT_DIR
from lessons.workshop.judge.daemon import judge_client
from lessons.workshop.student import progress
from tests.support.programs.running_program import RunningProgram

TEST_TIMEOUT = 60  # seconds; only a test that fails waits this long
READY = "Workshop ready at "
OTHER_HOST = "learn.test"  # the browser finds it on this machine
# One renderer for all visits: a new one for each takes a fifth more time. Certificates of tests
# sign themselves. Playwright's option for this starts each request again after its error; on a busy
# machine the browser gave up once (ERR_TOO_MANY_RETRIES).
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--renderer-process-limit=1",
    f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
    "--ignore-certificate-errors",
)
SHARED = pytest.StashKey[dict]()
expect.set_options(timeout=TEST_TIMEOUT * 1000)


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory):
    """The folder of the server's progress and database."""
    return tmp_path_factory.mktemp("workshop")


class _Workshop(RunningProgram):
    """`manage.py workshop` with the tests' settings, state and database."""

    def __init__(self, state_dir):
        super().__init__("manage.py", "workshop", "--port", "0", "--no-reload")
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.support.servers.browser_settings",
            "WORKSHOP_STATE_DIR": str(state_dir),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self):
        return subprocess.Popen(
            [sys.executable, *self.command],
            cwd=PROJECT_DIR, env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip

    def wait_until_ready(self):
        self.address = self.wait_for_line(READY).strip().rstrip("/")


@pytest.fixture(scope="session")
def address(chromium, state_dir):
    """`http://127.0.0.1:port` of the tests' own workshop."""
    with _Workshop(state_dir) as workshop:
        _wait_for_judge(state_dir)
        yield workshop.address


def _wait_for_judge(state_dir):
    """Wait until the judge has started. While it starts, it judges each exercise that has a verdict
    on another version: it would replace the verdict that a test has saved.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "state_dir", lambda: state_dir)
        judge = judge_client.connect()
    with judge:
        for _ in range(2):  # it answers the second request after its start
            judge.send(follow=True)
            while message := judge.receive(TEST_TIMEOUT):
                if {"judging", "progress"} <= message.keys():
                    break
            assert message, "the judge has not started"


def shared_in_folder(request, manager):
    """What the context manager yields, for all tests of this folder.

    A browser for each module would take much time. But Playwright's event loop runs as long as a
    browser is open, and it must have stopped before the next async test. So the browser closes
    before the first test of another folder.
    """
    folder, name = request.node.parent, request.fixturename
    shared = folder.stash.setdefault(SHARED, {})
    if name not in shared:
        stack = ExitStack()
        shared[name] = stack.enter_context(manager)
        stack.callback(shared.pop, name)
        folder.addfinalizer(stack.close)
    return shared[name]


@contextmanager
def launched(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(request, chromium):
    return shared_in_folder(request, launched(chromium))


class LessonPage:
    """What a student does on a lesson's page, and what the page shows."""

    def __init__(self, page, address):
        self.page, self.address = page, address
        self.errors, self.foreign_requests = [], []
        page.on("console", self._keep_error)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._keep_foreign_request)

    def _keep_error(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _keep_foreign_request(self, request):
        if urlsplit(request.url).netloc not in ("", urlsplit(self.address).netloc):
            self.foreign_requests.append(request.url)

    def open(self, key):
        response = self.page.goto(f"{self.address}/lessons/{key}/")
        assert response.status == 200
        return self

    def show(self, step):
        """Show a step of the lesson: Predict, See, Do, Wire or Compare."""
        link = self.page.get_by_role("navigation", name="Steps").get_by_role("link", name=step)
        link.click()
        expect(link).to_have_attribute("aria-current", "step")
        return self

    def show_tab(self, name):
        """Show a tab below the diagram: Source, Browser or Verdict."""
        self.page.get_by_role("tab", name=name).click()

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
        """Press a button of the client; if the client has no such button, one of the page."""
        button = self.client(client).get_by_role("button", name=name, exact=True)
        page_wide = self.page.get_by_role("button", name=name, exact=True)
        (button if button.count() else page_wide).click()

    def connect(self, path=None, subprotocols=None, state="open", client=1):
        """Connect, and wait until the client has this state."""
        if path is not None:
            self.fill("Path and query", path, client)
        if subprotocols is not None:
            self.fill("Subprotocols", subprotocols, client)
        self.press("Connect", client)
        expect(self.status(client)).to_have_attribute("data-state", state)

    def send(self, payload, kind="text", client=1):
        """Send a frame, even an empty one."""
        self.choose("Frame", kind, client)
        self.fill("Payload", payload, client)
        self.press("Send", client)

    def expect_status(self, text, client=1):
        expect(self.status(client)).to_have_text(text)

    def expect_browser_log(self, *lines):
        """Expect exactly these lines in the browser's log."""
        expect(self.page.locator("#browser-log li")).to_have_text(list(lines))

    def numbers(self):
        cells = self.page.locator("#events td:first-child").all_text_contents()
        return [int(cell) for cell in cells]

    def highlighted_lines(self):
        """The source lines that are highlighted."""
        return self.page.locator("#source .highlighted").all_text_contents()

    def expect_highlighted(self, method):
        first = self.page.locator("#source .highlighted").first
        expect(first).to_have_attribute("data-method", method)


@contextmanager
def without_animation(browser, address):
    # Animations would take a tenth more time. A window with options shows them.
    with browser.new_context(reduced_motion="reduce") as context:
        yield LessonPage(context.new_page(), address)


@pytest.fixture(scope="module")
def window(request, browser, address):
    """One window for all tests without options: a new one takes as much time as a whole test."""
    return shared_in_folder(request, without_animation(browser, address))


@pytest.fixture
def visit(browser, address, window):
    """`visit("03-stop")`: a new browser session on that page. With options it gets its own window.

    At the end no console may have an error that the test did not clear, and no page may have sent a
    request to another server.
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
    assert [page.foreign_requests for page in pages] == [[] for _ in pages]


@pytest.fixture
def page_at(browser):
    """`page_at("http://127.0.0.1:8001")`: a page of another server, in its own session."""
    with browser.new_context() as context:
        pages = []

        def start(address):
            pages.append(LessonPage(context.new_page(), address))
            return pages[-1]

        yield start
        assert [(page.errors, page.foreign_requests) for page in pages] == [([], []) for _ in pages]
