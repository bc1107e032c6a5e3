"""URLs of the views of lesson 20."""

from django.urls import path

from db_demo import views

urlpatterns = [
    path("db/liveblog/", views.liveblog, name="liveblog"),
]
