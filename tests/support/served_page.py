"""Settings of the server that the browser visits: the workshop's, with state and database apart."""

import os
from pathlib import Path

from lessons.core import progress
from lessons.settings import *  # noqa: F403
from lessons.settings import DATABASES

STATE_DIR = Path(os.environ["WORKSHOP_STATE_DIR"])
DATABASES["default"]["NAME"] = STATE_DIR / "db.sqlite3"
progress.state_dir = lambda: STATE_DIR

ASGI_APPLICATION = "tests.support.served_asgi.application"
