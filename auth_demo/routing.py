"""Which path leads to which consumer of lessons 16 to 19."""

from django.urls import path

from auth_demo.consumers import Account, Inbox, Reception, Welcome
from auth_demo.tickets import TicketMiddleware

websocket_urlpatterns = [
    path("ws/auth/user/", Reception.as_asgi()),
    path("ws/auth/origin/", Inbox.as_asgi()),
    path("ws/auth/logout/", Account.as_asgi()),
]

# Not behind the cookies' middlewares: no cookie is asked for, so no other site can use one, and
# what is no browser sends no origin.
ticket_urlpatterns = [
    path("ws/auth/ticket/", TicketMiddleware(Welcome.as_asgi())),
]
