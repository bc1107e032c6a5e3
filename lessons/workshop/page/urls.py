"""The workshop's pages, mounted at the root."""

from django.urls import path

from lessons.workshop.page.lesson_converter import LESSON
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
    path(f"lessons/{LESSON}/", lesson_views.lesson_page, name="lesson"),
    path(f"lessons/{LESSON}/file/", exercise_views.exercise_file, name="exercise_file"),
    path(f"lessons/{LESSON}/hint/", exercise_views.hint, name="hint"),
    path(f"lessons/{LESSON}/solution/", exercise_views.solution, name="solution"),
    path(f"lessons/{LESSON}/reset/", exercise_views.reset, name="reset"),
    path(f"lessons/{LESSON}/source/", play_views.played_source, name="played_source"),
    path(f"lessons/{LESSON}/conversation/", play_views.conversation, name="conversation"),
    path(f"lessons/{LESSON}/play/", play_views.played_steps, name="played_steps"),
    path(f"lessons/{LESSON}/compare/", play_views.comparison, name="comparison"),
    path(f"lessons/{LESSON}/judged/", play_views.judged, name="judged"),
    path(
        f"lessons/{LESSON}/predict/<int:number>/",
        prediction_views.prediction_question,
        name="prediction_question",
    ),
    path(
        f"lessons/{LESSON}/predict/<int:number>/answer/",
        prediction_views.prediction_answer,
        name="prediction_answer",
    ),
    path(f"lessons/{LESSON}/teach/", teach_views.teach_page, name="teach"),
    path("teach/", teach_views.plans_page, name="plans"),
    path("search/", reference_views.search_page, name="search"),
    path("diagnoses/", reference_views.diagnoses_page, name="diagnoses"),
    path("notes/", reference_views.notes_page, name="notes"),
]
