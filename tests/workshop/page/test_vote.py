"""A page's answer to a question becomes the vote that all pages write in the same way."""

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.predictions import InvalidPrediction, predictions, shuffled
from lessons.workshop.page.live.vote import seed_of, vote_of

STOP = find("stop")


@pytest.mark.parametrize("feed", ["one", "two"])
def test_an_order_becomes_the_numbers_of_the_cards_on_no_page(feed):
    known = [card.label for card in predictions(STOP)[1].played(STOP).cards]
    page = shuffled(known, seed_of(feed, 2))  # as the page with this feed shows them
    in_order = [str(page.index(label)) for label in known]
    assert vote_of(STOP, 2, feed, in_order, []) == " ".join(map(str, range(len(known))))
    assert vote_of(STOP, 2, feed, in_order[1:], in_order[:1]).endswith(" | 0")


@pytest.mark.parametrize("given", [["0"], ["0", "0"], ["x"], ["99"]])
def test_refuses_an_order_that_is_not_one_place_for_each_card(given):
    with pytest.raises(ValueError, match=r".") as error:
        vote_of(STOP, 2, "one", given, [])
    assert not isinstance(error.value, InvalidPrediction)
