"""The workshop's pages, mounted at the root."""

from django.urls import path

from lessons.pages import views

urlpatterns = [
    path("", views.index, name="lessons"),
    path("lessons/<str:key>/", views.lesson, name="lesson"),
    path("charts/<slug:name>.svg", views.chart, name="chart"),
]
