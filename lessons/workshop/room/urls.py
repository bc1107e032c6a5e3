"""The URLs of the mode room. All others are 404."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import RedirectView

from lessons.workshop.page.views.csp import with_csp
from lessons.workshop.room.views import board_views, join_views, student_views

handler403 = "lessons.workshop.room.views.error_views.forbidden"
handler404 = "lessons.workshop.room.views.error_views.not_found"

log_in = LoginView.as_view(
    template_name="room/log_in.html",
    next_page="room_classes",
    authentication_form=AdminAuthenticationForm,  # it lets staff accounts in only
)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="room_classes")),
    path("room/", board_views.classes, name="room_classes"),
    path("room/log-in/", with_csp(log_in), name="room_log_in"),
    path("room/log-out/", LogoutView.as_view(next_page="room_log_in"), name="room_log_out"),
    path("room/join/", join_views.join_class, name="room_join"),
    path("room/board/<int:class_id>/", board_views.board, name="room_board"),
    path("room/board/<int:class_id>/question/", board_views.question, name="room_question"),
    path("room/board/<int:class_id>/export/", board_views.export, name="room_export"),
    path("room/board/<int:class_id>/delete/", board_views.delete, name="room_delete"),
    path("room/course/", board_views.course, name="room_course"),
    path(
        "room/student/<int:student_id>/<slug:slug>/",
        student_views.student_page,
        name="room_student",
    ),
    path(
        "room/student/<int:student_id>/<slug:slug>/judge/",
        student_views.judge_again,
        name="room_judge",
    ),
]
