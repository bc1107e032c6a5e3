"""What a monitoring tool should see of a consumer: each event, its duration and its error."""

import logging
import time

from channels.exceptions import StopConsumer

logger = logging.getLogger("mysite.events")


class Observed:
    """In front of a consumer: `class Chat(Observed, AsyncConsumer)`. Logs each event."""

    async def dispatch(self, message):
        error, began = None, time.perf_counter()
        try:
            await super().dispatch(message)
        except Exception as raised:
            error = None if isinstance(raised, StopConsumer) else raised
            raise
        finally:
            log = logger.error if error else logger.info
            ms = (time.perf_counter() - began) * 1000
            log("%s %s %.1f ms", type(self).__name__, message.get("type"), ms, exc_info=error)
