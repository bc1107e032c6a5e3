"""Which path leads to which consumer of lessons 16 to 19."""

from django.urls import path

from auth_demo.consumers import Letters, Reception

websocket_urlpatterns = [
    path("ws/auth/user/", Reception.as_asgi()),
    path("ws/auth/origin/", Letters.as_asgi()),
]
