"""The workshop's pages, mounted at the root."""

from django.urls import path

from lessons.workshop.page.views import (
    class_views,
    exercise_views,
    home_views,
    lesson_views,
    play_views,
    prediction_views,
    reference_views,
    teach_views,
)

urlpatterns = [
    path("", home_views.home, name="lessons"),
    path("class/", class_views.school_class, name="school_class"),
    path("class/leave/", class_views.leave_class, name="leave_class"),
    path("lessons/<str:key>/", lesson_views.lesson_page, name="lesson"),
    path("lessons/<str:key>/file/", exercise_views.exercise_file, name="exercise_file"),
    path("lessons/<str:key>/hint/", exercise_views.hint, name="hint"),
    path("lessons/<str:key>/solution/", exercise_views.solution, name="solution"),
    path("lessons/<str:key>/reset/", exercise_views.reset, name="reset"),
    path("lessons/<str:key>/source/", play_views.played_source, name="played_source"),
    path("lessons/<str:key>/play/", play_views.played_steps, name="played_steps"),
    path("lessons/<str:key>/compare/", play_views.comparison, name="comparison"),
    path("lessons/<str:key>/judged/", play_views.judged, name="judged"),
    path(
        "lessons/<str:key>/predict/<int:number>/",
        prediction_views.prediction_question,
        name="prediction_question",
    ),
    path(
        "lessons/<str:key>/predict/<int:number>/answer/",
        prediction_views.prediction_answer,
        name="prediction_answer",
    ),
    path("lessons/<str:key>/teach/", teach_views.teach_page, name="teach"),
    path("teach/", teach_views.plans_page, name="plans"),
    path("search/", reference_views.search_page, name="search"),
    path("diagnoses/", reference_views.diagnoses_page, name="diagnoses"),
    path("notes/", reference_views.notes_page, name="notes"),
]
