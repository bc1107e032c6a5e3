"""Which tests of a student's file run, in which order."""

from lessons.workshop.engine.script import student_test


async def alone(application):
    pass


class Base:
    async def test_of_the_base(self, application):
        return self

    async def test_replaced(self, application):
        return "old"


class Suite(Base):
    test_number = 4

    async def test_second(self, application):
        return self

    async def test_replaced(self, application):
        return "new"

    async def helper(self, application):
        pass


class Without(Suite):
    test_second = None


Base.__test__ = False  # pytest must not collect these classes


def names(subject):
    return [name for name, _ in student_test.tests_of(subject)]


def test_a_function_is_one_test():
    assert student_test.tests_of(alone) == [("alone", alone)]


def test_a_class_has_the_tests_of_its_bases_first_and_no_helpers():
    assert names(Suite) == ["test_of_the_base", "test_replaced", "test_second"]


async def test_the_last_definition_of_a_test_counts():
    assert await dict(student_test.tests_of(Suite))["test_replaced"](None) == "new"
    assert names(Without) == ["test_of_the_base", "test_replaced"]


async def test_each_test_has_a_new_object():
    tests = dict(student_test.tests_of(Suite))
    first, second = [await tests[name](None) for name in ("test_of_the_base", "test_second")]
    assert first is not second
