"""The URLs of the mode room. All others are 404."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from lessons.workshop.page.lesson_converter import LESSON
from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.room import joining, student_page, views

handler404 = "lessons.workshop.room.views.not_found"

log_in = LoginView.as_view(
    template_name="room/log_in.html",
    next_page="room_classes",
    authentication_form=AdminAuthenticationForm,  # it lets staff accounts in only
)
CLASS, STUDENT = "room/board/<int:class_id>/", f"room/student/<int:student_id>/{LESSON}/"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="room_classes")),
    path("room/", views.Classes.as_view(), name="room_classes"),
    path("room/log-in/", with_csp(log_in), name="room_log_in"),
    path("room/log-out/", LogoutView.as_view(next_page="room_log_in"), name="room_log_out"),
    path("room/join/", joining.join_class, name="room_join"),
    path(f"room/course/{LESSON}/", views.course, name="room_course"),
    path(CLASS, views.live_page, {"template": "room/board.html"}, "room_board"),
    path(f"{CLASS}act/", views.act, name="room_act"),
    path(f"{CLASS}slide/", views.live_page, {"template": "room/slide.html"}, "room_slide"),
    path(f"{CLASS}export/", views.export, name="room_export"),
    path(f"{CLASS}delete/", views.delete, name="room_delete"),
    path(STUDENT, student_page.student_page, name="room_student"),
    path("room/student/<int:student_id>/none/", student_page.student_page),
    path(f"{STUDENT}judge/", student_page.judge_again, name="room_judge"),
]
