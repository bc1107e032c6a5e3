"""The whole project on Daphne, with its access log on stdout.

python -m tests.support.servers.auth_server REDIS DATABASE
"""

import os
import sys
from pathlib import Path

from django.conf import settings


def main(redis_url, database):
    os.environ.update(REDIS_URL=redis_url, DJANGO_SETTINGS_MODULE="lessons.settings")
    settings.DATABASES["default"]["NAME"] = database
    settings.ROOT_URLCONF = "tests.support.servers.auth_actions"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # These imports set up Django, so they come after the settings.
    from daphne.access import AccessLogGenerator

    from lessons.asgi import application
    from lessons.workshop.engine.world.database import create_tables
    from tests.support.servers.daphne_server import serve

    if not Path(database).exists():
        create_tables()
    access_log = AccessLogGenerator(sys.stdout)
    serve(application, websocket_handshake_timeout=60, action_logger=access_log)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main(*sys.argv[1:])
