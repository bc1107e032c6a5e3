"""A set has the same order in each run, whatever addresses its members have."""

import asyncio
from pathlib import Path

import pytest

from lessons.workshop.engine.scheduling import hashes
from lessons.workshop.engine.scheduling.loop import SimulatedLoop
from lessons.workshop.engine.scheduling.patches import installed
from lessons.workshop.engine.world.student_module import load_file

SOURCE = """
from dataclasses import dataclass

class Connection:
    pass

class Cell:
    __slots__ = ()

@dataclass
class Message:
    text: str = ""

class Name(str):
    pass
"""


@pytest.fixture(scope="module")
def students():
    module = load_file(Path("hashes_of_a_student.py"), SOURCE)
    hashes.number_hashes_of(module)
    return module


def order_of_set(make, spread, seed=0):
    """The order of a set of 20 objects, in memory where every `spread`th other one was freed."""

    async def main():
        others = [make() for _ in range(200)]
        del others[::spread]
        hashes.number_hashes(seed)
        made = [make() for _ in range(20)]
        return [made.index(item) for item in {*made}]

    with installed(hashes.PATCHES), asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main())


def make_task():
    return asyncio.create_task(asyncio.sleep(1))


def make_future():
    return asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("make", [make_task, make_future, asyncio.Queue, asyncio.Event])
def test_what_asyncio_makes_is_numbered(make):
    assert order_of_set(make, 2) == order_of_set(make, 3)


def test_objects_of_a_students_class_are_numbered_and_the_seed_decides_the_order(students):
    orders = [
        [order_of_set(students.Connection, spread, seed) for spread in (2, 3)] for seed in (0, 1, 2)
    ]
    assert [first == second for first, second in orders] == [True] * 3
    assert orders[0] != orders[1] != orders[2]


def test_a_number_lasts_as_long_as_its_object(students):
    known = len(hashes._hashes)
    kept, others = students.Connection(), [students.Connection() for _ in range(3)]
    numbers = {kept: hash(kept)}
    assert len({*map(hash, [kept, *others])}) == 4
    hashes.number_hashes(1)
    del others
    assert numbers == {kept: hash(kept)}
    assert len(hashes._hashes) == known + 1


def test_other_classes_hash_as_before(students):
    with pytest.raises(TypeError, match="unhashable"):
        hash(students.Message())
    assert hash(students.Name("a")) == hash("a")
    cell = students.Cell()
    assert {cell: 1}[cell] == 1


def test_coroutines_are_awaited_in_their_order():
    begun = []

    async def begin(number):
        begun.append(number)

    async def main():
        for waiting in asyncio.as_completed([begin(number) for number in range(20)]):
            await waiting

    with installed(hashes.PATCHES), asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        runner.run(main())
    assert begun == [*range(20)]
