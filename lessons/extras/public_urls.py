"""URLs of the public server: the admin, the login and the chat."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("auth_demo.urls")),
    path("", include("lessons.extras.urls")),
]
