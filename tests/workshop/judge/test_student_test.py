"""Which tests of a student's file run, in which order."""

from lessons.workshop.judge import student_test


class Base:
    __test__ = False  # pytest must not collect these classes

    async def test_of_the_base(self, application):
        return self

    async def test_replaced(self, application):
        return "old"

    async def test_removed(self, application):
        pass


class Suite(Base):
    test_number = 4
    test_removed = None

    async def test_second(self, application):
        return self

    async def test_replaced(self, application):
        return "new"


async def test_a_class_has_the_tests_of_its_bases_first_and_each_has_a_new_object():
    tests = dict(student_test.tests_of(Suite))
    assert list(tests) == ["test_of_the_base", "test_replaced", "test_second"]
    assert await tests["test_replaced"](None) == "new"
    assert await tests["test_of_the_base"](None) is not await tests["test_second"](None)


def test_a_function_is_one_test():
    assert student_test.tests_of(len) == [("len", len)]
