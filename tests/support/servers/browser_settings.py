"""The workshop's settings for tests in a browser, with their own state and database."""

import os
from pathlib import Path

from lessons.core import progress
from lessons.settings import *  # noqa: F403
from lessons.settings import DATABASES

STATE_DIR = Path(os.environ["WORKSHOP_STATE_DIR"])
DATABASES["default"]["NAME"] = STATE_DIR / "db.sqlite3"
progress.state_dir = lambda: STATE_DIR

ASGI_APPLICATION = "tests.support.servers.browser_asgi.application"
