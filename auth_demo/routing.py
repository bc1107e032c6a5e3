"""WebSocket paths of the consumers of lessons 16 to 18, 21, 24 and 27."""

from django.urls import path

from auth_demo.consumers import Account, Adder, Inbox, Reception, Welcome
from auth_demo.tickets import TicketMiddleware
from auth_demo.tokens import Mailbox

websocket_urlpatterns = [
    path("ws/auth/user/", Reception.as_asgi()),
    path("ws/auth/origin/", Inbox.as_asgi()),
    path("ws/auth/logout/", Account.as_asgi()),
    path("ws/auth/limits/", Adder.as_asgi()),
]

# These paths need no cookie middleware and no origin check: they read no cookie, so another site
# cannot use one. And a client that is not a browser sends no origin.
ticket_urlpatterns = [
    path("ws/auth/ticket/", TicketMiddleware(Welcome.as_asgi())),
    path("ws/auth/token/", Mailbox.as_asgi()),
]
