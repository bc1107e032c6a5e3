"""`bench chat`: nothing that a member saw confirmed is lost, whatever is lost on the way."""

import pytest

from lessons.bench import chat, chat_figures
from lessons.bench.chat_house import House
from lessons.bench.chat_member import Member

KEPT = [(1, "a"), (2, "b"), (3, "c")]


def test_every_confirmed_message_is_kept_once_and_reaches_all_who_come_back(
    redis_binaries, forked_servers
):
    found = chat.measure(rooms=2, members=12, seconds=1.5)
    assert chat_figures.faults(found) == []
    assert found["confirmed"] == found["sent"] == found["kept"] > 0
    assert found["delivered"] == 6 * found["kept"]
    assert found["reconnects"] >= 12  # each has lost a server, Redis or both


class Told(House):
    """A house whose database and log are given."""

    def rows(self):
        return {"room0": self.database}

    def in_the_log(self):
        return {}


def found_with(kept=KEPT, ids=(1, 2, 3), sent=("a",), confirmed=("a",)):
    house = Told(kept, None)
    member = Member(house, "room0", "session")
    member.ids, member.sent, member.confirmed = list(ids), list(sent), set(confirmed)
    house.members.append(member)
    return chat_figures.faults(
        {**chat_figures.figures(house), "all_in_after_s": 0.1, "caught_up_after_s": 0.1}
    )


@pytest.mark.parametrize(
    "case, fault",
    [
        ({}, []),
        ({"kept": [*KEPT, (4, "c")], "ids": (1, 2, 3, 4)}, ["kept_twice"]),
        ({"confirmed": ("a", "z")}, ["confirmed_not_kept"]),
        ({"ids": (1, 2, 2, 3)}, ["delivered_twice"]),
        ({"ids": (2, 1, 3)}, ["out_of_order"]),
        ({"ids": (1, 3)}, ["not_delivered"]),
    ],
)
def test_what_went_wrong_is_named(case, fault):
    assert found_with(**case) == fault
