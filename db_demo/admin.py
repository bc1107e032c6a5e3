"""The admin: write posts (lesson 20), add members to rooms (lesson 23)."""

from django.contrib import admin

from db_demo.models import Membership, Message, Post, Room


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("title", "author", "written_at")
    fields = ("title", "text")

    def save_model(self, request, obj, form, change):
        obj.author = obj.author or request.user
        super().save_model(request, obj, form, change)


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    list_display = ("name", "is_private")
    inlines = (MembershipInline,)


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ("room", "author", "text", "written_at")
    list_filter = ("room",)
