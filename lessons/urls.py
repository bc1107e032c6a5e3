"""The URLs of all pages."""

from django.contrib import admin
from django.urls import include, path

handler404 = "lessons.workshop.page.views.not_found.not_found"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("lessons.workshop.page.urls")),
    path("", include("async_demo.urls")),
    path("", include("layers_demo.urls")),
    path("", include("auth_demo.urls")),
    path("", include("db_demo.urls")),
    path("", include("lessons.extras.urls")),
]
