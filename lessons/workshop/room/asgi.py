"""What Daphne serves in the mode room: the room alone. No demo is served."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lessons.settings")
# Before the imports of consumers: they import models, which need a configured Django.
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from lessons.workshop.page.unknown_path import reject_unknown_paths  # noqa: E402
from lessons.workshop.room.routing import websocket_application  # noqa: E402
from lessons.workshop.student.demo_accounts import require_safe_accounts  # noqa: E402

application = ProtocolTypeRouter({"http": django_application, "websocket": websocket_application})
application = ASGIStaticFilesHandler(reject_unknown_paths(application))
require_safe_accounts()
