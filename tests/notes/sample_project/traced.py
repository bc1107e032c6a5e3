"""A mixin that makes a span of OpenTelemetry for each event of a consumer."""

from channels.exceptions import StopConsumer
from opentelemetry import propagate, trace

tracer = trace.get_tracer("mysite.consumers")


class Traced:
    """In front of a consumer: `class Chat(Traced, AsyncConsumer)`."""

    async def dispatch(self, message):
        name = f"{type(self).__name__} {message.get('type')}"
        # A message of the channel layer continues the trace of its sender, who has called
        # propagate.inject(message). An event of the server begins a trace.
        with tracer.start_as_current_span(name, propagate.extract(message)):
            end = None
            try:
                await super().dispatch(message)
            except StopConsumer as stop:
                end = stop  # it is not an error, so the span must not see it
        if end is not None:
            raise end
