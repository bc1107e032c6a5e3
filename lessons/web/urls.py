"""The workshop's pages, mounted at the root."""

from django.urls import path

from lessons.web.views import (
    compare_views,
    exercise_views,
    lesson_views,
    prediction_views,
    reference_views,
)
from lessons.web.views.export_views import take_away

urlpatterns = [
    path("", lesson_views.index, name="lessons"),
    path("lessons/<str:key>/", lesson_views.lesson, name="lesson"),
    path("lessons/<str:key>/compare/", compare_views.compared, name="compare"),
    path("lessons/<str:key>/predict/<int:number>/", prediction_views.asked, name="predict"),
    path(
        "lessons/<str:key>/predict/<int:number>/answer/", prediction_views.answered, name="answer"
    ),
    path("lessons/<str:key>/take-away/", take_away, name="take-away"),
    path("lessons/<str:key>/exercise/", exercise_views.exercise, name="exercise"),
    path("lessons/<str:key>/hint/", exercise_views.hint, name="hint"),
    path("lessons/<str:key>/reset/", exercise_views.reset, name="reset"),
    path("search/", reference_views.search_page, name="search"),
    path("diagnoses/", reference_views.diagnoses_page, name="diagnoses"),
    path("notes/", reference_views.notes_page, name="notes"),
    path("charts/<slug:name>.svg", lesson_views.chart, name="chart"),
]
