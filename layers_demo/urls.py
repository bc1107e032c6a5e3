"""Which address leads to which view of lessons 11 to 15."""

from django.urls import path

from layers_demo import views

urlpatterns = [
    path("layers/pager/", views.pager, name="pager"),
]
