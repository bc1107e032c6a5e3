"""The project on Daphne, its log on stdout.

python -m tests.support.redis.auth_server REDIS DATABASE
"""

import os
import sys
from pathlib import Path

from django.conf import settings


def serve(redis_url, database):
    os.environ.update(REDIS_URL=redis_url, DJANGO_SETTINGS_MODULE="lessons.settings")
    settings.DATABASES["default"]["NAME"] = database
    settings.ROOT_URLCONF = "tests.support.redis.auth_acts"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Only now: this sets Django up.
    import daphne.server
    from daphne.access import AccessLogGenerator

    from lessons.asgi import application
    from lessons.bench.servers.port_server import PortServer
    from lessons.simulator.database import create_tables
    from tests.support.daphne_timeouts import wait_for_late_answers
    from tests.support.facts_server import QuickReactor

    if not Path(database).exists():
        create_tables()
    daphne.server.reactor = QuickReactor(daphne.server.reactor)
    wait_for_late_answers()
    PortServer(
        application,
        endpoints=["tcp:port=0:interface=127.0.0.1"],
        websocket_handshake_timeout=60,
        action_logger=AccessLogGenerator(sys.stdout),
    ).run()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    serve(*sys.argv[1:])
