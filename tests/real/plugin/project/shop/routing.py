from django.urls import path

from .consumers import Counter

websocket_urlpatterns = [path("ws/counter/", Counter.as_asgi())]
