"""The workshop's pages, mounted at the root."""

from django.urls import path

from lessons.pages import doing, playing, predicting, reference, views
from lessons.pages.take_away import take_away

urlpatterns = [
    path("", views.index, name="lessons"),
    path("lessons/<str:key>/", views.lesson, name="lesson"),
    path("lessons/<str:key>/compare/", playing.compared, name="compare"),
    path("lessons/<str:key>/predict/<int:number>/", predicting.asked, name="predict"),
    path("lessons/<str:key>/predict/<int:number>/answer/", predicting.answered, name="answer"),
    path("lessons/<str:key>/take-away/", take_away, name="take-away"),
    path("lessons/<str:key>/exercise/", doing.exercise, name="exercise"),
    path("lessons/<str:key>/hint/", doing.hint, name="hint"),
    path("lessons/<str:key>/reset/", doing.reset, name="reset"),
    path("search/", reference.search_page, name="search"),
    path("diagnoses/", reference.diagnoses_page, name="diagnoses"),
    path("notes/", reference.notes_page, name="notes"),
    path("charts/<slug:name>.svg", views.chart, name="chart"),
]
