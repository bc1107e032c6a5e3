from django.db import models


class Shop(models.Model):  # noqa: DJ008
    name = models.CharField(max_length=50, unique=True)
    stock = models.IntegerField(default=1)


class Order(models.Model):  # noqa: DJ008
    shop = models.ForeignKey(Shop, models.CASCADE)
    buyer = models.CharField(max_length=50)
