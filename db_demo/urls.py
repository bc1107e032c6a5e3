"""Which address leads to which view of lessons 20 to 23."""

from django.urls import path

from db_demo import views

urlpatterns = [
    path("db/liveblog/", views.liveblog, name="liveblog"),
]
