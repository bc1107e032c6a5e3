"""One Chromium, one workshop and one room for all tests in a browser."""

from contextlib import ExitStack, contextmanager

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.lesson_page import LessonPage
from tests.support.programs.project_commands import RunningRoom, workshop_copy
from tests.support.programs.project_copy import project_copy
from tests.support.programs.running_program import TEST_TIMEOUT

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


def shared_in_folder(request, manager):
    """What the context manager yields, for all tests of this folder.

    Playwright's event loop runs as long as a browser is open, and it must have stopped before the
    next async test. So the browser closes before the first test of another folder.
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


@pytest.fixture(scope="session")
def workshop(chromium):
    """A workshop of a student who has begun nothing."""
    settings = "tests.support.servers.browser_settings"
    with workshop_copy("--no-reload", DJANGO_SETTINGS_MODULE=settings) as started:
        yield started


@pytest.fixture(scope="session")
def address(workshop):
    return workshop.address


@pytest.fixture(scope="session")
def room(chromium):
    with project_copy() as clone, RunningRoom(clone) as running:
        yield running


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
def exercise(workshop):
    """The student's file of lesson 3, which has no verdict yet. Afterwards it has none again."""

    def reset():
        # The progress first: a judge that still knows a verdict would judge the original, too.
        (workshop.folder / ".workshop" / "progress.json").unlink(missing_ok=True)
        found.save(found.original)

    found = workshop.exercise("stop")
    reset()
    yield found
    reset()
