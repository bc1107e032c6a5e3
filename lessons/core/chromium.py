"""The browser that benchmarks and tests drive, where there is one."""

import shutil

# The first is the same engine without what shows windows: two thirds of the processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CURE = "apt-get install chromium-headless-shell, or chromium where there is none"


def find() -> str | None:
    """Path of the first of them that is on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)
