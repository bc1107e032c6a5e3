"""Puts recording round the project's ASGI application; only in a local workshop."""

from functools import partial

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.urls import path

from lessons.web.exercise.exercise_status import Verdicts
from lessons.web.live.client_identity import ClientIdentity, NoGuise, with_lost_connections
from lessons.web.live.event_forwarder import Relay
from lessons.web.live.page_socket import LAYER, Feed, group_of
from lessons.wire.database import record_queries
from lessons.wire.layer import record_layer
from lessons.wire.middleware import RecordingMiddleware
from lessons.wire.recorder import Recorder

_WATCHED = "/watched/"
_FEED = "/ws/feed/"
_REFUSALS = {
    "websocket": [{"type": "websocket.close"}],
    "http": [
        {"type": "http.response.start", "status": 403},
        {"type": "http.response.body", "body": b""},
    ],
}


def watched(application):
    """`application`, with what goes to /watched/<feed id>/<options>/... recorded for that feed.

    Called where a server's application is made, and nowhere else: from then on this process
    records layers and queries too, for recorded connections.
    """
    for alias in settings.CHANNEL_LAYERS:
        if alias != LAYER:
            record_layer(alias)
    record_queries()
    feeds = AllowedHostsOriginValidator(
        URLRouter(
            [
                path(f"{_FEED[1:]}verdicts/", Verdicts.as_asgi()),
                path(f"{_FEED[1:]}verdicts/<str:key>/", Verdicts.as_asgi()),
                path(f"{_FEED[1:]}<str:feed_id>/", Feed.as_asgi()),
            ]
        )
    )
    # A page of another site may not pretend to be one of ours.
    guarded = AllowedHostsOriginValidator(partial(_record, application))

    async def route(scope, receive, send):
        if scope["type"] == "websocket" and scope["path"].startswith(_WATCHED):
            await guarded(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_WATCHED):
            await _record(application, scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"].startswith(_FEED):
            await feeds(scope, receive, send)
        else:
            await application(scope, receive, send)

    return route


async def _record(application, scope, receive, send):
    """Serve `/watched/<feed id>/<options>/ws/...` as `/ws/...`, to the client of the options."""
    try:
        _, _, feed_id, options, rest = scope["path"].split("/", 4)
        guise, group = ClientIdentity.read(options), group_of(feed_id, scope)
        if group is None:
            raise NoGuise(feed_id)
        headers = await guise.headers(scope)
    except ValueError:
        await receive()
        for message in _REFUSALS[scope["type"]]:
            await send({**message})
        return
    recorder = Recorder(keep=False)
    recorder.listeners.append(Relay(group, guise.client))
    # The consumer's scope is that of a client which connected to the lesson's own path.
    direct = {**scope, "path": f"/{rest}", "headers": headers}
    if "raw_path" in scope:
        direct["raw_path"] = b"/" + scope["raw_path"].split(b"/", 4)[-1]
    recorded = RecordingMiddleware(application, recorder)
    await recorded(direct, with_lost_connections(receive), send)
