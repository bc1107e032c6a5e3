"""Records the connections that the lessons' pages open. Exists in a workshop only."""

from functools import partial

from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from lessons.workshop.engine.recording.layer import record_layer
from lessons.workshop.engine.recording.middleware import RecordingMiddleware
from lessons.workshop.engine.recording.queries import record_queries
from lessons.workshop.engine.recording.recorder import Recorder
from lessons.workshop.judge.redaction import redact
from lessons.workshop.page.live.client_identity import (
    ClientIdentity,
    InvalidIdentity,
    reject,
    with_lost_connections,
)
from lessons.workshop.page.live.event_forwarder import EventForwarder
from lessons.workshop.page.live.feed import find_feed
from lessons.workshop.page.live.page_socket import FEED, serve_page

_WATCHED = "/watched/"


def record_page_clients(application, others=None):
    """Wrap `application`: what a client sends to /watched/<feed id>/<options>/... is recorded.

    The events go to that feed. `others` serves the clients that are not recorded; by default, it is
    `application` too. Call this only where a server's application is created: from then on this
    process also records layers and queries, for recorded connections.
    """
    for alias in settings.CHANNEL_LAYERS:
        record_layer(alias)
    record_queries()
    # A page of another site must not act as one of ours.
    feeds = AllowedHostsOriginValidator(serve_page)
    guarded = AllowedHostsOriginValidator(partial(_record, application))

    async def route(scope, receive, send):
        if scope["type"] == "websocket" and scope["path"].startswith(_WATCHED):
            await guarded(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_WATCHED):
            await _record(application, scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"].startswith(FEED):
            await feeds(scope, receive, send)
        else:
            await (others or application)(scope, receive, send)

    return route


async def _record(application, scope, receive, send):
    """Serve `/watched/<feed id>/<options>/ws/...` as `/ws/...`, for the client in the options."""
    try:
        _, _, feed_id, options, rest = scope["path"].split("/", 4)
        identity, feed = ClientIdentity.parse(options), find_feed(feed_id, scope)
        if feed is None:
            raise InvalidIdentity(feed_id)
        headers = await identity.headers(scope)
    except ValueError:
        await reject(scope, receive, send)
        return
    # The consumer's scope is that of a client which connected to the lesson's own path.
    direct = {**scope, "path": f"/{rest}", "headers": headers}
    if "raw_path" in scope:
        direct["raw_path"] = b"/" + scope["raw_path"].split(b"/", 4)[-1]
    recorder = Recorder(keep=False, with_state=True, redact=redact)
    recorder.listeners.append(EventForwarder(feed, int(identity.client)))
    recorded = RecordingMiddleware(application, recorder)
    await recorded(direct, with_lost_connections(receive), send)
