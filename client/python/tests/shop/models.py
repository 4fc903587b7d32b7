"""What a shop sells: plain rows, inlines, children, proxies, keys of all kinds."""

from __future__ import annotations

import uuid

from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    number = models.CharField(max_length=20)
    text = models.TextField(blank=True)
    paid = models.BooleanField(default=False)
    at = models.DateTimeField(null=True, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True)

    def __str__(self) -> str:
        return f"Invoice {self.number}"


class Draft(Invoice):
    class Meta:
        proxy = True


class CreditNote(Invoice):
    reason = models.CharField(max_length=100, blank=True)


class Item(models.Model):
    invoice = models.ForeignKey(Invoice, models.CASCADE)
    what = models.CharField(max_length=100)


class Payment(models.Model):
    """An inline that is locked by itself, too."""

    invoice = models.ForeignKey(Invoice, models.CASCADE)
    amount = models.IntegerField()

    def __str__(self) -> str:
        return f"Payment {self.amount}"


class Ticket(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    text = models.CharField(max_length=100)


class Page(models.Model):
    path = models.CharField(max_length=900, primary_key=True)
    text = models.CharField(max_length=100)


class Letter(models.Model):
    """With a revision, as each save makes one, and the memory of saves."""

    subject = models.CharField(max_length=100)
    text = models.TextField(blank=True)
    paid = models.BooleanField(default=False)
    kind = models.CharField(max_length=10, default="a", choices=[("a", "Ordinary"), ("b", "Urgent")])
    at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True)
    readers = models.ManyToManyField(Customer, blank=True, related_name="read")
    revision = models.IntegerField(default=1, editable=False)
    saves = models.TextField(default="", editable=False)

    def __str__(self) -> str:
        return self.subject

    def save(self, *args: object, **kwargs: object) -> None:
        if self.pk is not None:
            self.revision += 1
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Archived(models.Model):
    """In another database, by its router, in a table that Django does not manage."""

    text = models.CharField(max_length=100)

    class Meta:
        managed = False
        db_table = "shop_archived"


class Router:
    """Archived objects are in the database "archive"."""

    def db_for_read(self, model: type[models.Model], **hints: object) -> str | None:
        return "archive" if model is Archived else None

    db_for_write = db_for_read
