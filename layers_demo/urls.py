"""URLs of the views of lesson 11."""

from django.urls import path

from layers_demo import views

urlpatterns = [
    path("layers/pager/", views.pager, name="pager"),
]
