"""A mixin that makes a transaction of Sentry for each event of a consumer."""

import sentry_sdk


class Timed:
    """In front of a consumer: `class Chat(Timed, AsyncConsumer)`."""

    async def dispatch(self, message):
        name = f"{type(self).__name__} {message.get('type')}"
        # Events of other clients run at the same time, so each event has its own scope.
        with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(name=name) as event:
            try:
                await super().dispatch(message)
            finally:
                event.finish()  # before it sees StopConsumer, which is not an error
