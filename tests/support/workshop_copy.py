"""A workshop in a copy of the project, whose exercises a student edits in files and in the page."""

import threading
from contextlib import contextmanager

from lessons.workshop.course.lesson_index import find
from lessons.workshop.measure.processes import project_copy

READY = "Workshop ready at "
TIMEOUT = 60  # seconds; only a test that fails waits this long
# Pastes the text that it gets into the editor: (box, text) => …
PASTE = """(box, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const options = { clipboardData, bubbles: true, cancelable: true };
  box.dispatchEvent(new ClipboardEvent("paste", options));
}"""


class Exercise:
    """The student's file of one lesson, with the texts that the course has for it."""

    def __init__(self, folder, lesson):
        self.file = folder / "work" / f"{lesson.folder.name}.py"
        self.original = lesson.original.read_text(encoding="utf-8")
        self.solved = lesson.solution.read_text(encoding="utf-8")

    def save(self, text):
        """As an editor that saves by renaming."""
        new = self.file.with_name("exercise.py~")
        new.write_text(text, encoding="utf-8")
        new.rename(self.file)


class WorkshopCopy:
    """`manage.py workshop` in a copy of the project."""

    def __init__(self, project):
        self.project, self.folder = project, project.folder

    def start(self, *options):
        """Start the workshop at any free port, and wait until it serves."""
        self.process = self.project.start("manage.py", "workshop", "--port", "0", *options)
        self.ready = threading.Semaphore(0)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()
        self.await_ready()

    def _read(self, lines):
        with lines:
            for line in lines:
                if line.startswith(READY):
                    self.address = line.removeprefix(READY).strip().rstrip("/")
                    self.ready.release()

    def await_ready(self):
        assert self.ready.acquire(timeout=TIMEOUT), "the workshop is not ready"

    def stop(self):
        self.process.terminate()
        self._wait_for_the_end()

    def kill(self):
        """End the workshop without a chance to clean up."""
        self.process.kill()
        self._wait_for_the_end()

    def _wait_for_the_end(self):
        """Wait for the judge too: it has inherited the pipe, and ends a second later."""
        self.process.wait(TIMEOUT)
        self.reader.join(TIMEOUT)

    def exercise(self, slug):
        return Exercise(self.folder, find(slug))


@contextmanager
def workshop_copy(*options, **environment):
    """A WorkshopCopy, which ends with the block. It has these options and environment variables."""
    with project_copy() as project:
        project.environment.update(PYTHONUNBUFFERED="1", **environment)
        workshop = WorkshopCopy(project)
        try:
            workshop.start(*options)
            yield workshop
        finally:
            workshop.stop()


def write_in_page(page, path, text):
    """Replace the text of the page's editor, which edits the file `path`."""
    page.locator("#editor").evaluate("editor => editor.scrollIntoView()")
    editor = page.get_by_role("textbox", name=f"The file {path}")
    editor.click()
    page.keyboard.press("Control+a")
    editor.evaluate(PASTE, text)
