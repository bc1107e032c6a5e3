"""The workshop's pages, mounted at the root."""

from django.urls import include, path

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

of_a_lesson = [
    path("", lesson_views.lesson_page, name="lesson"),
    path("file/", exercise_views.exercise_file),
    path("hint/", exercise_views.hint),
    path("solution/", exercise_views.solution),
    path("reset/", exercise_views.reset),
    path("source/", play_views.played_source),
    path("conversation/", play_views.conversation),
    path("play/", play_views.played_steps),
    path("compare/", play_views.comparison),
    path("judged/", play_views.judged),
    path("predict/<int:number>/", prediction_views.prediction_question, name="prediction_question"),
    path("predict/<int:number>/answer/", prediction_views.prediction_answer),
    path("teach/", teach_views.teach_page, name="teach"),
]
urlpatterns = [
    path("", home_views.home, name="lessons"),
    path("class/", class_views.school_class, name="school_class"),
    path("class/leave/", class_views.leave_class, name="leave_class"),
    path(f"lessons/{LESSON}/", include(of_a_lesson)),
    path("teach/", teach_views.plans_page, name="plans"),
    path("search/", reference_views.search_page, name="search"),
    path("diagnoses/", reference_views.diagnoses_page, name="diagnoses"),
    path("notes/", reference_views.notes_page, name="notes"),
]
