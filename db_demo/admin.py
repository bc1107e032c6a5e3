"""Lesson 21: where posts are written."""

from django.contrib import admin

from db_demo.models import Post


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("title", "author", "written_at")
    fields = ("title", "text")

    def save_model(self, request, obj, form, change):
        obj.author = obj.author or request.user
        super().save_model(request, obj, form, change)
