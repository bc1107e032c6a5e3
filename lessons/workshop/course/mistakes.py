"""The mistakes of a lesson: classic wrong versions, each with the diagnosis that it must get."""

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.world.student_module import load_file


def mistakes_of(lesson: Lesson) -> dict[str, object]:
    """The lesson's mistakes by name: everything in mistakes.py that has a `diagnosis`."""
    module = load_file(lesson.mistakes)
    return {
        name: item
        for name, item in vars(module).items()
        if getattr(item, "__module__", None) == module.__name__ and "diagnosis" in vars(item)
    }
