"""URLs of the views of lessons 16 to 18, 21 and 24. Django's own views log the user in and out."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.generic import TemplateView

from auth_demo.views import ticket, token

login = LoginView.as_view(template_name="auth_demo/login.html", next_page="account")

urlpatterns = [
    path("auth/login/", login, name="login"),
    path("auth/logout/", LogoutView.as_view(next_page="login"), name="logout"),
    path("auth/", TemplateView.as_view(template_name="auth_demo/account.html"), name="account"),
    path("auth/ticket/", ticket, name="ticket"),
    path("auth/token/", token, name="token"),
]
