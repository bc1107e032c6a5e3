import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from shop.models import Order, Shop


@pytest.fixture
def counter(world, db):
    """Opens a client at the counter of the one shop, logged in under this name."""
    Shop.objects.create(name="corner", stock=1)

    def connect(name):
        user = get_user_model().objects.create(username=name)
        return world.connect("/ws/counter/?shop=corner", user=user)

    return connect


def test_all_clients_hear_of_an_order(counter):
    ada, ben = counter("ada"), counter("ben")
    ada.send(json="buy")
    assert ada.received_json == ben.received_json == [{"sold": Order.objects.get().pk}]
    assert (Shop.objects.get().stock, Order.objects.get().buyer) == (0, "ada")
    assert cache.get(f"last buyer of {Shop.objects.get().pk}") == "ada"


def test_the_second_buyer_is_late(counter):
    ada, ben = counter("ada"), counter("ben")
    ada.send(json="buy")
    ben.send(json="buy")
    assert ben.received_json[-1] == "sold out"


def test_a_stranger_is_rejected(world, db):
    assert world.connect("/ws/counter/?shop=corner").closed == 1006


@pytest.mark.django_db(transaction=True)
def test_also_with_real_transactions(counter):
    ada = counter("ada")
    ada.send(json="buy")
    assert Order.objects.count() == 1


# Red on purpose


@pytest.mark.explore(conversations=50)
def test_nothing_is_sold_twice(world, counter):
    ada, ben = counter("ada"), counter("ben")
    world.moves(lambda: ada.send(json="buy"), lambda: ben.send(json="buy"), ada.leave)
    assert Shop.objects.get().stock >= 0


def test_a_lost_connection_leaves_its_group(counter):
    counter("ada").vanish()


def test_a_refund(counter):
    counter("ada").send(json="refund")
