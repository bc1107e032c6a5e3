"""URLs of the views of lesson 10."""

from django.urls import path

from async_demo import views

urlpatterns = [
    path("async/page/", views.board, name="board"),
]
