"""A lesson in a URL, by its key, slug or number. What is no lesson is 404."""

from django.urls import register_converter
from django.urls.converters import StringConverter

from lessons.workshop.course.lesson_index import Lesson, UnknownLesson, find


class LessonConverter(StringConverter):
    def to_python(self, value: str) -> Lesson:
        try:
            return find(value)
        except UnknownLesson as error:
            raise ValueError(str(error)) from None


register_converter(LessonConverter, "lesson")
LESSON = "<lesson:lesson>"  # the part of a URL, for views with the argument `lesson`
